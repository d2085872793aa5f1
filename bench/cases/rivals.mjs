/** What the cases are compared with; run on the same files in the same round. */
import { fileURLToPath } from 'node:url';

const here = (name) => fileURLToPath(new URL(`../rivals/${name}`, import.meta.url));

/** @type {import('../case.d.mts').Rival[]} */
export const rivals = [
  { name: 'gzip -dc', command: ({ file }) => ['sh', '-c', 'gzip -dc "$0" > /dev/null', file] },
  {
    name: 'gzip -dc | gzip -6',
    command: ({ file, scratch }) => [
      'sh',
      '-c',
      'gzip -dc "$0" | gzip -6 > "$1"',
      file,
      `${scratch}/rival.gz`,
    ],
  },
  { name: 'node inflate', command: ({ file }) => [process.execPath, here('inflate.mjs'), file] },
  {
    name: 'python reader',
    needs: ['python3', '-c', 'import gzip'],
    command: ({ file }) => ['python3', here('read_snapshot.py'), file],
  },
];
