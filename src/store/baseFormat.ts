/** Which kind of file a base comes from. */
import { inflatedStream } from '../contract/ledgerStream.js';
import { AcsError } from '../io/error.js';
import { WireReader } from '../wire/reader.js';

export type BaseFormat = 'snapshot' | 'active-contracts';

/** A snapshot file, or recorded `GetActiveContracts` responses: told by the first message. */
export async function detectBase(file: string): Promise<BaseFormat> {
  if (file === '-') return 'snapshot';
  const stream = await inflatedStream(file);
  if (stream === undefined) return 'snapshot';
  await stream.close();
  if (stream.json)
    return /"(active_?contract|incomplete_?(una|a)ssigned)"/i.test(stream.head.toString('latin1'))
      ? 'active-contracts'
      : 'snapshot';
  const r = new WireReader(stream.head);
  try {
    const n = r.uint32();
    r.end = Math.min(r.end, r.pos + n);
    while (r.pos < r.end) {
      const tag = r.tag();
      if (tag === 0x12 || tag === 0x1a || tag === 0x22) return 'active-contracts';
      if (tag !== 0x0a) return 'snapshot';
      r.skip(tag & 7);
    }
  } catch (error) {
    // Cut or no protobuf at all: the snapshot reader says what is wrong.
    if (!(error instanceof AcsError)) throw error;
  }
  return 'snapshot';
}
