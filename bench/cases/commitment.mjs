/** ACS commitments. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ContractView } from '../../dist/contract/contractView.js';
import { scanSnapshot } from '../../dist/snapshot/scan.js';

/** One participant hosts the issuer, another every owner: all contracts are shared. */
async function hostingMap({ inputs, scratch }) {
  const signatories = new Set();
  const observers = new Set();
  const contract = new ContractView();
  await scanSnapshot(inputs.file, (record) => {
    contract.of(record).eachStakeholder((buf, start, end, signatory) => {
      (signatory ? signatories : observers).add(buf.toString('utf8', start, end));
    });
  });
  const participants = {
    issuing: { participant_uid: 'issuing::1220aa', hosts: [...signatories] },
    owning: { participant_uid: 'owning::1220bb', hosts: [...observers] },
  };
  writeFileSync(join(scratch, 'hosting.json'), JSON.stringify({ participants }));
}

const commitment = ({ acs, inputs, scratch }, ...more) =>
  acs(
    ...['commitment', '--json', inputs.file, '--participant', 'issuing'],
    ...['--hosting', join(scratch, 'hosting.json'), ...more],
  );

/** @type {import('../case.d.mts').Case[]} */
export const cases = [
  {
    name: 'commitments, one thread',
    inputs: (count) => ({ file: { count, plain: true } }),
    prepare: hostingMap,
    command: (context) => commitment(context, '--threads', '0'),
    against: ['node inflate'],
    minPerSecond: 80_000,
    maxRssMb: 300,
  },
  {
    name: 'commitments, two threads',
    inputs: (count) => ({ file: { count, plain: true } }),
    prepare: hostingMap,
    command: (context) => commitment(context, '--threads', '1'),
    against: ['node inflate'],
    minPerSecond: 150_000,
    maxRssMb: 300,
  },
  {
    name: 'commitments, 10 000 changes to saved states',
    inputs: (count) => ({ file: { count, plain: true } }),
    command: ({ node, scratch }) => node('bench/tasks/commitmentChanges.mjs', join(scratch, 'states')),
    noRate: true,
    maxRssMb: 300,
  },
];
