/** Comparisons and repair plans. Times are told against inflating ONE of the files: two take twice as long. */
import { join } from 'node:path';

/** One contract in a hundred is missing on the other side. */
const two = (count) => ({
  file: { count, plain: true },
  other: { count, plain: true, seed: 1, archivedShare: 0.01 },
});
const three = (count) => ({ ...two(count), third: { count, plain: true, first: Math.floor(count / 100) } });

/** @type {import('../case.d.mts').Case[]} */
export const cases = [
  {
    name: 'diff of two snapshots, 1 % different',
    inputs: two,
    command: ({ acs, inputs }) => acs('diff', `a=${inputs.file}`, `b=${inputs.other}`, '--json'),
    okStatus: [1],
    against: ['node inflate'],
    // Two files, 1.4 times the time of inflating both.
    target: { against: 'node inflate', ratio: 2.8 },
    maxRssMb: 400,
  },
  {
    name: 'diff of three snapshots',
    inputs: three,
    command: ({ acs, inputs }) =>
      acs('diff', `a=${inputs.file}`, `b=${inputs.other}`, `c=${inputs.third}`, '--json'),
    okStatus: [1],
    against: ['node inflate'],
    target: { against: 'node inflate', ratio: 4.2 },
    maxRssMb: 400,
  },
  {
    name: 'diff of two snapshots through temporary files (--memory 180MB)',
    inputs: two,
    command: ({ acs, inputs }) =>
      acs('diff', `a=${inputs.file}`, `b=${inputs.other}`, '--json', '--memory', '180MB'),
    okStatus: [1],
    against: ['node inflate'],
    maxRssMb: 400,
  },
  {
    name: 'diff written as JSON lines and HTML',
    inputs: two,
    command: ({ acs, inputs, scratch }) =>
      acs(
        ...['diff', `a=${inputs.file}`, `b=${inputs.other}`, '--format', 'jsonl'],
        ...['-o', join(scratch, 'diff.jsonl'), '--html', join(scratch, 'diff.html')],
      ),
    okStatus: [1],
    against: ['node inflate'],
    maxRssMb: 400,
  },
];
