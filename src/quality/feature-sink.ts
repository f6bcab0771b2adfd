/** Takes the numbers that the models look at, one by one, each by its name. */
export type FeatureSink = (name: string, value: number) => void;
