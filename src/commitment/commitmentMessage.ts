/**
 * The message in which a participant sends a commitment (commitments spec, section 2.6): `AcsCommitment` of version 30 in
 * its versioned wrapper, as protocol versions 34 and 35 use it.
 */
import { AcsError } from '../io/error.js';
import { WireReader } from '../wire/reader.js';
import { readVersionedMessage } from '../wire/versionedMessage.js';
import { WireWriter } from '../wire/writer.js';
import { COMMITMENT_BYTES } from './lthash16.js';

const MESSAGE_VERSION = 30;

export interface CommitmentMessage {
  physicalSynchronizerId: string;
  /** Uid, without `PAR::`. */
  sender: string;
  counterParticipant: string;
  /** Microseconds since the epoch; the period is (fromExclusive, toInclusive], both on ticks. */
  fromExclusive: bigint;
  toInclusive: bigint;
  /** 34 bytes. */
  commitment: Buffer;
}

export function encodeCommitmentMessage(message: CommitmentMessage): Buffer {
  return new WireWriter(512)
    .messageField(1, (w) => {
      w.stringField(1, message.physicalSynchronizerId);
      w.stringField(2, message.sender);
      w.stringField(3, message.counterParticipant);
      w.tag(4, 0).varint64(message.fromExclusive);
      w.tag(5, 0).varint64(message.toInclusive);
      w.bytesField(6, message.commitment);
    })
    .tag(2, 0)
    .varint(MESSAGE_VERSION)
    .finish();
}

/** Throws `COMMITMENT_MESSAGE_MALFORMED` or a `WIRE_*` error. */
export function decodeCommitmentMessage(bytes: Buffer): CommitmentMessage {
  const r = new WireReader(bytes);
  const { data, version } = readVersionedMessage(r);
  if (data === undefined || version !== MESSAGE_VERSION) {
    return malformed(
      `data and version ${MESSAGE_VERSION}`,
      data === undefined ? 'no data' : `version ${version}`,
    );
  }
  const message: CommitmentMessage = {
    physicalSynchronizerId: '',
    sender: '',
    counterParticipant: '',
    fromExclusive: 0n,
    toInclusive: 0n,
    commitment: Buffer.alloc(0),
  };
  r.reset(bytes, data.start, data.end);
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag === 0x0a) message.physicalSynchronizerId = r.string();
    else if (tag === 0x12) message.sender = r.string();
    else if (tag === 0x1a) message.counterParticipant = r.string();
    else if (tag === 0x20) message.fromExclusive = r.int64();
    else if (tag === 0x28) message.toInclusive = r.int64();
    else if (tag === 0x32) message.commitment = Buffer.from(r.bytes());
    else r.skip(tag & 7);
  }
  for (const key of ['physicalSynchronizerId', 'sender', 'counterParticipant'] as const) {
    if (!message[key].includes('::')) malformed(`${key} as name::fingerprint`, message[key]);
  }
  const { commitment, fromExclusive, toInclusive } = message;
  if (commitment.length !== COMMITMENT_BYTES || commitment[0] !== 0x12 || commitment[1] !== 0x20) {
    malformed('a commitment of 34 bytes that starts with 1220', commitment.toString('hex'));
  }
  const onSecond = fromExclusive % 1_000_000n === 0n && toInclusive % 1_000_000n === 0n;
  if (!onSecond || fromExclusive >= toInclusive) {
    malformed('a period between two whole seconds', `(${fromExclusive}, ${toInclusive}]`);
  }
  return message;
}

function malformed(expected: string, found: string): never {
  throw new AcsError('COMMITMENT_MESSAGE_MALFORMED', 'not a commitment message', { expected, found });
}
