/** Takes the numbers that the models look at, one by one, each by its name. */
export type FeatureSink = (name: string, value: number) => void;

/** Puts all features there are. */
export type Features = (put: FeatureSink) => void;

/** The same features, worked out once for all that ask. */
export function remembered(features: Features): Features {
  const names: string[] = [];
  const values: number[] = [];
  features((name, value) => {
    names.push(name);
    values.push(value);
  });
  return (put) => {
    for (let i = 0; i < names.length; i++) put(names[i]!, values[i]!);
  };
}

/** Names of features, made once for each prefix: to make them anew would be most of what features cost. */
export function namesOnce(make: (prefix: string) => string[]): (prefix: string) => readonly string[] {
  const known = new Map<string, readonly string[]>();
  return (prefix) => {
    let names = known.get(prefix);
    if (!names) known.set(prefix, (names = make(prefix)));
    return names;
  };
}
