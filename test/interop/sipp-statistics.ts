export interface SippStatistics {
  created: number;
  successful: number;
  failed: number;
  retransmissions: number;
}

/** The last row of the file that `-trace_stat` writes: totals since the start. */
export function parseSippStatistics(csv: string): SippStatistics {
  const rows = csv.split('\n').filter((line) => line.trim() !== '');
  const names = rows[0]?.split(';') ?? [];
  const values = rows.length > 1 ? rows.at(-1)!.split(';') : [];
  const total = (name: string): number => {
    const value = Number(values[names.indexOf(name)]);
    return Number.isFinite(value) ? value : 0;
  };
  return {
    created: total('TotalCallCreated'),
    successful: total('SuccessfulCall(C)'),
    failed: total('FailedCall(C)'),
    retransmissions: total('Retransmissions(C)'),
  };
}
