/** Writing snapshot files from others. */
import { copyFile, stat, truncate } from 'node:fs/promises';

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
  {
    name: 'split by count, 8 parts',
    inputs: plain,
    command: ({ acs, count, inputs, scratch }) =>
      acs('split', inputs.file, '--by', 'count', '--size', `${Math.ceil(count / 8)}`, '-d', scratch),
    against: ['gzip -dc | gzip -6'],
    maxRssMb: 200,
  },
  {
    // Half of the contracts are in both files.
    name: 'merge two overlapping files',
    inputs: (count) => ({
      file: { count, plain: true },
      other: { count: count >> 1, first: count >> 2, plain: true },
    }),
    command: ({ acs, inputs, scratch }) =>
      acs('merge', inputs.file, inputs.other, '-o', `${scratch}/out.acs.gz`),
    against: ['gzip -dc | gzip -6'],
    maxRssMb: 400,
  },
  {
    name: 'recover a file cut in the middle',
    inputs: plain,
    async prepare({ inputs, scratch }) {
      await copyFile(inputs.file, `${scratch}/cut.acs.gz`);
      await truncate(`${scratch}/cut.acs.gz`, (await stat(inputs.file)).size >> 1);
    },
    command: ({ acs, scratch }) => acs('recover', `${scratch}/cut.acs.gz`, '-o', `${scratch}/out.acs.gz`),
    okStatus: [3],
    against: ['gzip -dc | gzip -6'],
    maxRssMb: 200,
  },
];
