import { z } from 'zod';
import {
  type DriverSetting,
  driverSettings,
  type SteeringSetting,
  steeringSettings,
} from '../rtp/transport.ts';

/** What a worker process is started with: JSON in its first argument. Nothing in it is secret. */
export interface WorkerSettings {
  /** Names the journals of this start; never used before. */
  workerId: string;
  /** IPv4 or IPv6 address the RTP ports are bound to. */
  mediaAddress: string;
  /** Inclusive; both 0 let the system pick. */
  ports: { first: number; last: number };
  /** How packets are taken and sent; `auto` where it is not set. */
  driver?: DriverSetting | undefined;
  /** Of the driver `ffi`; `off` where it is not set. */
  steering?: SteeringSetting | undefined;
  spoolDir: string;
  /** Capacity of the ring to the writer thread, a power of two. */
  ringBytes?: number;
}

const settings = z.object({
  workerId: z.string().min(1).max(64),
  mediaAddress: z.union([z.ipv4(), z.ipv6()]),
  ports: z.object({ first: z.int().min(0).max(65_535), last: z.int().min(0).max(65_535) }),
  driver: z.enum(driverSettings).optional(),
  steering: z.enum(steeringSettings).optional(),
  spoolDir: z.string().min(1),
  ringBytes: z.int().positive().optional(),
}) satisfies z.ZodType<WorkerSettings>;

/** @throws when the argument is not what `media-worker` passes */
export function parseWorkerSettings(argument: string | undefined): WorkerSettings {
  return settings.parse(JSON.parse(argument ?? ''));
}
