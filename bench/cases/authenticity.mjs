/** Authenticity of contract ids. */
import { population } from '../generate.mjs';

const [SYNCHRONIZER] = population().synchronizers;
/** Contracts a second, on two cores. */
const PROMISED = 60_000;
const authentic = (idVersion) => (count) => ({ file: { count, plain: true, authentic: true, idVersion } });

/** @type {import('../case.d.mts').Case[]} */
export const cases = [
  {
    name: 'verify, ca12 with DARs',
    inputs: authentic('V12'),
    command: ({ acs, inputs }) => acs('verify', '--dar', 'fixtures/dars', inputs.file),
    against: ['node inflate'],
    minPerSecond: PROMISED,
    maxRssMb: 300,
  },
  {
    name: 'verify, ca11 without DARs',
    inputs: authentic('V11'),
    command: ({ acs, inputs }) => acs('verify', '--authenticate', inputs.file),
    against: ['node inflate'],
    minPerSecond: PROMISED,
    maxRssMb: 300,
  },
  {
    name: 'verify, ca10 without DARs',
    inputs: authentic('V10'),
    command: ({ acs, inputs }) => acs('verify', '--authenticate', inputs.file),
    against: ['node inflate'],
    minPerSecond: PROMISED,
    maxRssMb: 300,
  },
  {
    name: 'preflight, ca12 with DARs',
    inputs: (count) => ({ file: { count, plain: true, authentic: true } }),
    command: ({ acs, inputs }) =>
      acs(
        'preflight',
        inputs.file,
        '--dar',
        'fixtures/dars',
        '--multi-synchronizer',
        '--synchronizer',
        SYNCHRONIZER,
      ),
    against: ['node inflate'],
    maxRssMb: 300,
  },
];
