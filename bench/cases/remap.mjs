/** Converting old snapshots and remapping parties. */
import { execFileSync } from 'node:child_process';

const NAMESPACE = `1220${'ab'.repeat(32)}`;
const DARS = 'fixtures/dars';

/** @param {[string, ...string[]]} command */
const run = ([program, ...words]) => execFileSync(program, words, { stdio: ['ignore', 'ignore', 'inherit'] });

/**
 * @param {string} name
 * @param {number} referenceShare
 * @param {number} [minPerSecond]
 * @returns {import('../case.d.mts').Case}
 */
const remapCase = (name, referenceShare, minPerSecond) => ({
  name,
  inputs: (count) => ({
    file: { count, authentic: true, shape: 'mixed', movedShare: 0, referenceShare },
  }),
  prepare: async ({ acs, inputs, scratch }) => {
    run(acs('parties', 'map', inputs.file, '--namespace', NAMESPACE, '-o', `${scratch}/map.csv`, '-q'));
  },
  command: ({ acs, inputs, scratch }) =>
    acs(
      'remap',
      inputs.file,
      ...['--map', `${scratch}/map.csv`, '--dar', DARS],
      ...['-o', `${scratch}/out.acs.gz`, '-q'],
    ),
  against: ['gzip -dc | gzip -6'],
  minPerSecond,
  maxRssMb: 500,
});

/** @type {import('../case.d.mts').Case[]} */
export const cases = [
  {
    name: 'convert, format B to A',
    inputs: (count) => ({ file: { count, movedShare: 0 } }),
    prepare: async ({ node, inputs, scratch }) => {
      run(node('bench/tasks/oldSnapshot.mjs', inputs.file, `${scratch}/old.gz`));
    },
    command: ({ acs, scratch }) => acs('convert', `${scratch}/old.gz`, '-o', `${scratch}/out.acs.gz`, '-q'),
    against: ['gzip -dc | gzip -6', 'node inflate'],
    minPerSecond: 100_000,
    maxRssMb: 300,
  },
  remapCase('remap, every party', 0),
  remapCase('remap, every party, 10 % with references', 0.1, 25_000),
];
