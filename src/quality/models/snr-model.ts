// Made by scripts/fit-quality.ts.
import type { RegressionModel } from '../regression.ts';

export const snrModel: RegressionModel = {
  inputs: [],
  hiddenUnits: 0,
  nets: 1,
  numbers: 'AAA=',
};
