/** Writing snapshot files from others. */
const plain = (count) => ({ file: { count, plain: true } });

/** @type {import('../case.d.mts').Case[]} */
export const cases = [
  {
    name: 'filter, copying everything',
    inputs: plain,
    command: ({ acs, inputs, scratch }) => acs('filter', inputs.file, '-o', `${scratch}/out.acs.gz`),
    against: ['gzip -dc | gzip -6', 'node inflate'],
    target: { against: 'gzip -dc | gzip -6', ratio: 0.55 },
    maxRssMb: 200,
  },
  {
    name: 'filter, copying everything, manifest',
    inputs: plain,
    command: ({ acs, inputs, scratch }) =>
      acs('filter', inputs.file, '-o', `${scratch}/out.acs.gz`, '--manifest'),
    against: ['gzip -dc | gzip -6'],
    maxRssMb: 200,
  },
  {
    name: 'filter, one party of 200',
    inputs: plain,
    command: ({ acs, inputs, scratch }) =>
      acs('filter', inputs.file, '-o', `${scratch}/out.acs.gz`, '--party', 'client-7::'),
    against: ['node inflate'],
    maxRssMb: 200,
  },
];
