/** What running participants exchanged, as recorded: scenarios, hosting, commitments, and a plain protobuf reader. */
import { hostingMapOf } from '../../src/commitment/hostingMap.js';
import { WIRE_BYTES, WIRE_VARINT, WireReader } from '../../src/wire/reader.js';
import { fixture, json } from './vectors.js';

export interface Scenario {
  synchronizers: Record<string, string>;
  parties: Record<string, string>;
  /** Uid per number. */
  participants: Record<string, string>;
  /** Party names, some followed by a remark. */
  hosting: Record<string, string[]>;
}

export const first = json<Omit<Scenario, 'hosting'>>('live/scenario.json');
/** Named in the recording's description. */
export const FIRST_HOSTING = {
  participant1: ['alice', 'bank', 'broker'],
  participant2: ['bob', 'registrar'],
  participant3: ['carol', 'dave', 'auditor'],
};
export const scenario = json<Scenario>('live2/stream/scenario.json.gz');

export const hostingOf = (run: Scenario) =>
  hostingMapOf({
    participants: Object.fromEntries(
      Object.entries(run.hosting).map(([name, parties]) => [
        name,
        {
          participant_uid: run.participants[name.replace('participant', '')],
          hosts: parties.map((party) => {
            const [short, ...remark] = party.split(' ');
            return {
              party: run.parties[short!],
              permission: remark.length > 0 ? 'Observation' : 'Submission',
            };
          }),
        },
      ]),
    ),
  });

export type Fields = Map<number, (Buffer | bigint)[]>;

export function fieldsOf(bytes: Buffer): Fields {
  const found: Fields = new Map();
  const r = new WireReader(bytes);
  while (r.pos < r.end) {
    const tag = r.tag();
    const value = (tag & 7) === WIRE_BYTES ? r.bytes() : (tag & 7) === WIRE_VARINT ? r.int64() : undefined;
    if (value === undefined) r.skip(tag & 7);
    else found.set(tag >>> 3, [...(found.get(tag >>> 3) ?? []), value]);
  }
  return found;
}

export const messages = (fields: Fields, n: number): Fields[] =>
  (fields.get(n) ?? []).map((v) => fieldsOf(v as Buffer));
export const text = (fields: Fields, n: number): string =>
  ((fields.get(n)?.[0] as Buffer | undefined) ?? '').toString();
export const texts = (fields: Fields, n: number): string[] => (fields.get(n) ?? []).map((v) => v.toString());
export const integer = (fields: Fields, n: number): bigint =>
  (fields.get(n)?.[0] as bigint | undefined) ?? 0n;
export function micros(fields: Fields, n: number): bigint {
  const [timestamp] = messages(fields, n);
  return timestamp === undefined ? 0n : integer(timestamp, 1) * 1_000_000n + integer(timestamp, 2) / 1000n;
}

export function delimited(bytes: Buffer): Fields[] {
  const r = new WireReader(bytes);
  const found: Fields[] = [];
  while (r.pos < r.end) found.push(fieldsOf(r.bytes()));
  return found;
}

export interface SentCommitment {
  synchronizer: string;
  tick: bigint;
  counterParticipant: string;
  commitments: string[];
}

/** Entries of LookupSentAcsCommitments and LookupReceivedAcsCommitments, verbose: the same field numbers. */
export function commitmentsIn(file: string): SentCommitment[] {
  return delimited(fixture(file)).flatMap((response) =>
    messages(response, 1).flatMap((period) =>
      messages(period, 2).map((entry) => ({
        synchronizer: text(period, 1),
        tick: micros(messages(entry, 1)[0]!, 2),
        counterParticipant: text(entry, 2).replace(/^PAR::/, ''),
        commitments: [3, 4].flatMap((n) => (entry.get(n) ?? []).map((v) => (v as Buffer).toString('hex'))),
      })),
    ),
  );
}

export const exchangedBy = (folder: string, n: number): SentCommitment[] =>
  ['sent', 'received'].flatMap((direction) =>
    commitmentsIn(`${folder}/p${n}.commitments-${direction}.bin.gz`),
  );
