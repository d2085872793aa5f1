/** Reading snapshot files. */
const plain = (count) => ({ file: { count, plain: true } });
const indexed = (count) => ({ file: { count, manifest: true } });

/** @type {import('../case.d.mts').Case[]} */
export const cases = [
  {
    name: 'info',
    inputs: plain,
    command: ({ acs, inputs }) => acs('info', '--json', inputs.file),
    against: ['gzip -dc', 'node inflate', 'python reader'],
    target: { against: 'node inflate', ratio: 1.2 },
    maxRssMb: 200,
  },
  {
    name: 'cat',
    inputs: plain,
    command: ({ acs, inputs }) => ['sh', '-c', '"$@" > /dev/null', 'sh', ...acs('cat', inputs.file)],
    against: ['node inflate'],
    target: { against: 'node inflate', ratio: 5 },
    maxRssMb: 200,
  },
  {
    name: 'verify, structure',
    inputs: plain,
    command: ({ acs, inputs }) => acs('verify', '--json', inputs.file),
    against: ['node inflate'],
    target: { against: 'node inflate', ratio: 2 },
    maxRssMb: 200,
  },
  {
    name: 'inflate with piece index',
    inputs: indexed,
    command: ({ node, inputs }) => node('bench/tasks/inflatePieces.mjs', inputs.file),
    against: ['node inflate'],
    target: { against: 'node inflate', ratio: 0.65 },
    maxRssMb: 200,
  },
];
