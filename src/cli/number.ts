import { CallreelError } from '../errors.ts';
import { ApiClient, serverOptions, serverOptionsHelp } from './api-client.ts';
import { type Command, parseCommandLine } from './command.ts';
import { print, printJson, printTable } from './output.ts';

interface PhoneNumber {
  phone_number: string;
  application: string | null;
}

const maxListed = 10_000;

export const numberCommands: Command[] = [
  {
    words: ['number', 'list'],
    summary: 'the numbers and the applications that answer them',
    usage: '',
    details: serverOptionsHelp,
    async run(args) {
      const { values } = parseCommandLine(args, serverOptions);
      const numbers = await ApiClient.open(values).list<PhoneNumber>('/v0/phonenumbers', {}, maxListed);
      if (values.json) return printJson(numbers);
      printTable(
        ['NUMBER', 'APP ID'],
        numbers.map(({ phone_number, application }) => [phone_number, application]),
      );
    },
  },
  {
    words: ['number', 'assign'],
    summary: 'an application answers a number from now on',
    usage: 'NUMBER (APP_ID | --free)',
    details: `  NUMBER           E.164, or the user part of a SIP URI
  --free           the number stays ours and nothing answers it
${serverOptionsHelp}`,
    async run(args) {
      const options = { ...serverOptions, free: { type: 'boolean', default: false } } as const;
      const isFree = args.includes('--free');
      const { values, positionals } = parseCommandLine(
        args,
        options,
        isFree ? ['NUMBER'] : ['NUMBER', 'APP_ID'],
      );
      const [number = '', appId] = positionals;
      if (values.free && appId !== undefined) throw new CallreelError('USAGE', 'either APP_ID or --free');
      const body = { phone_number: number, application: appId ?? null };
      const assigned = await ApiClient.open(values).post<PhoneNumber>('/v0/phonenumbers', body);
      if (values.json) return printJson(assigned);
      const { phone_number, application } = assigned;
      print(
        application === null ? `${phone_number} is free` : `${phone_number} is answered by ${application}`,
      );
    },
  },
];
