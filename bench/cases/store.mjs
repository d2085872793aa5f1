/** The contract store: a base of contracts with 700-byte blobs, and the updates that created them and archived 30 %. */
import { join } from 'node:path';
import { callInOwnProcess } from '../ownProcess.mjs';

const DATA = join('bench', 'data');
const task = ({ node, count }, what) => node('bench/tasks/store.mjs', what, DATA, String(count));

/** The harness wants an input file; the store's own data are made by the task. */
const inputs = () => ({ file: { count: 1000 } });

const prepare = async ({ count }) => {
  callInOwnProcess(new URL('../tasks/storeData.mjs', import.meta.url).href, 'storeData', DATA, count);
};

/** @type {import('../case.d.mts').Case[]} */
export const cases = [
  { name: 'store: load a base', inputs, prepare, command: (c) => task(c, 'load'), maxRssMb: 400 },
  { name: 'store: append updates', inputs, prepare, command: (c) => task(c, 'append'), maxRssMb: 400 },
  { name: 'store: one party, whole count', inputs, prepare, command: (c) => task(c, 'query'), noRate: true },
  { name: 'store: export at an offset', inputs, prepare, command: (c) => task(c, 'export'), maxRssMb: 400 },
];
