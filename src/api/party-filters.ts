import { z } from 'zod';
import { callDirection, callStatus } from './fields.ts';

const number = (description: string) =>
  z
    .string()
    .max(500)
    .meta({ description, examples: ['+15558881188'] })
    .optional();

/** What lists of calls and connections are narrowed by. */
export const partyFilters = {
  from: number('Only of this caller, as it is written in `from`.'),
  to: number('Only to this number, as it is written in `to`.'),
  status: callStatus().optional(),
  direction: callDirection().optional(),
};
