/**
 * Finding the records in an inflated stream that may be damaged. In step, a frame is taken as a reader takes it. Out of
 * step, the next frame must prove itself: three nested lengths that agree with each other and with the closing `10 1e`
 * (snapshot-format spec, section 3), and a message, blob and argument that decode.
 */
import { ContractView } from '../contract/contractView.js';
import { eventComparer } from '../contract/eventAgainstBlob.js';
import { checkValue } from '../contract/valueCheck.js';
import { AcsError } from '../io/error.js';
import { RecordView } from '../snapshot/record.js';
import { DEFAULT_MAX_FRAME_BYTES } from '../wire/frames.js';

/**
 * How far the bytes can be relied on: a checksum over them agrees; nothing speaks for or against them; or something in
 * the file is known to be wrong, and then a record whose event disagrees with its blob is not kept either.
 */
export type Trust = 'checked' | 'unchecked' | 'suspect';

export interface InflatedLoss {
  /** Offset in the part of the inflated stream that is being read. */
  start: number;
  bytes: number;
  /** Records lost, when the bytes tell. */
  records: number | undefined;
  /** What was wrong at its start. */
  code: string;
  message: string;
  contractId?: string;
}

export interface FrameRecovery {
  /** A new part of the stream. `inStep`: it is known to begin with a record. */
  begin(inStep: boolean, trust: Trust): void;
  trust(trust: Trust): void;
  push(chunk: Buffer): void;
  /** The part ends here; `cut` if the stream was to go on. */
  end(cut: boolean): void;
}

export interface FrameRecoveryOptions {
  maxRecordBytes?: number;
  /** A record that is kept. In-flight records come too. */
  keep(record: RecordView, trust: Trust): void;
  lost(loss: InflatedLoss): void;
}

/** Bytes that may be decoded in vain while searching, per byte searched: keeps hostile input from costing more. */
const SEARCH_EFFORT = 32;
const SEARCH_GRACE = 1 << 20;

export function frameRecovery(options: FrameRecoveryOptions): FrameRecovery {
  const maxRecordBytes = options.maxRecordBytes ?? DEFAULT_MAX_FRAME_BYTES;
  const view = new RecordView();
  const contract = new ContractView();
  const compare = eventComparer();
  let buffer: Buffer = Buffer.allocUnsafe(1 << 18);
  /** Unread bytes are `buffer[at, filled)`. */
  let at = 0;
  let filled = 0;
  /** Offset of `buffer[at]` in the current part. */
  let offset = 0;
  let inStep = true;
  let trust: Trust = 'unchecked';
  let records = 0;
  let effort = SEARCH_GRACE;
  /** Damage under way while out of step. */
  let damage:
    | { start: number; claimedEnd: number; code: string; message: string; contractId?: string }
    | undefined;

  function append(chunk: Buffer): void {
    if (filled + chunk.length > buffer.length) {
      const unread = filled - at;
      if (unread + chunk.length <= buffer.length) buffer.copyWithin(0, at, filled);
      else {
        const grown = Buffer.allocUnsafe(Math.max((unread + chunk.length) * 2, 1 << 18));
        buffer.copy(grown, 0, at, filled);
        buffer = grown;
      }
      at = 0;
      filled = unread;
    }
    filled += chunk.copy(buffer, filled);
  }

  function advance(bytes: number): void {
    at += bytes;
    offset += bytes;
  }

  /** Throws when the record is not to be kept. */
  function check(start: number, bodyStart: number, end: number): void {
    view.parse(buffer, start, bodyStart, end, offset, records);
    if (view.inFlight) return;
    contract.of(view);
    if (!contract.hasBlob) return;
    const { blob } = contract;
    checkValue(buffer, blob.argumentStart, blob.argumentEnd);
    if (blob.hasKey) checkValue(buffer, blob.keyValueStart, blob.keyValueEnd);
    if (trust !== 'suspect') return;
    if (view.unknownFields > 0) {
      throw new AcsError('RECORD_SUSPECT', 'a record has unknown fields where the file is damaged');
    }
    const [difference] = compare(contract);
    if (difference !== undefined) {
      throw new AcsError(
        'RECORD_SUSPECT',
        `event and blob disagree about ${difference.field} where the file is damaged`,
        {
          expected: difference.blob,
          found: difference.event,
        },
      );
    }
  }

  function contractIdIfReadable(): string | undefined {
    try {
      return view.inFlight ? undefined : contract.of(view).contractId;
    } catch {
      return undefined;
    }
  }

  function accept(): void {
    if (damage !== undefined) {
      report(damage.start, offset, damage.claimedEnd === offset);
      damage = undefined;
    }
    inStep = true;
    options.keep(view, trust);
    records++;
  }

  function report(start: number, end: number, oneRecord: boolean): void {
    if (end <= start) return;
    const loss: InflatedLoss = {
      start,
      bytes: end - start,
      records: oneRecord ? 1 : undefined,
      code: damage?.code ?? 'RESYNC',
      message: damage?.message ?? 'the beginning of a record is missing',
    };
    if (damage?.contractId !== undefined) loss.contractId = damage.contractId;
    options.lost(loss);
  }

  function fallOut(code: string, message: string, claimedEnd: number, contractId?: string): void {
    damage = {
      start: offset,
      claimedEnd,
      code,
      message,
      ...(contractId === undefined ? {} : { contractId }),
    };
    inStep = false;
    effort = Math.max(effort, SEARCH_GRACE);
    advance(1);
  }

  /** One frame in step. False when more bytes are needed. */
  function stepIn(): boolean {
    const prefix = varintAt(buffer, at, filled);
    if (prefix === 'cut') return false;
    if (prefix === 'bad') {
      fallOut('FRAME_PREFIX_TOO_LONG', 'a length prefix is longer than 5 bytes', -1);
      return true;
    }
    const bodyStart = prefix.next;
    if (prefix.value === 0) {
      fallOut('FRAME_EMPTY', 'a record has length 0', -1);
      return true;
    }
    if (prefix.value > maxRecordBytes) {
      fallOut('FRAME_TOO_LONG', `a record claims ${prefix.value} bytes`, -1);
      return true;
    }
    const end = bodyStart + prefix.value;
    if (end > filled) return false;
    try {
      check(at, bodyStart, end);
    } catch (error) {
      if (!(error instanceof AcsError)) throw error;
      fallOut(error.code, error.message, offset + end - at, contractIdIfReadable());
      return true;
    }
    accept();
    advance(end - at);
    return true;
  }

  /** Searches for a proven frame. False when more bytes are needed. */
  function search(final: boolean): boolean {
    while (at < filled) {
      const header = provenHeader(buffer, at, filled, maxRecordBytes);
      if (header === 'cut' && !final) return false;
      if (typeof header === 'object') {
        if (header.end > filled && !final) return false;
        if (header.end <= filled && isProven(header.bodyStart, header.end)) {
          const length = header.end - at;
          accept();
          advance(length);
          return true;
        }
      }
      effort += SEARCH_EFFORT;
      advance(1);
    }
    return false;
  }

  function isProven(bodyStart: number, end: number): boolean {
    if (buffer[end - 2] !== 0x10 || buffer[end - 1] !== 0x1e || effort < end - at) return false;
    effort -= end - at;
    try {
      check(at, bodyStart, end);
      return !view.inFlight;
    } catch (error) {
      if (!(error instanceof AcsError)) throw error;
      return false;
    }
  }

  function consume(final: boolean): void {
    while (at < filled) if (!(inStep ? stepIn() : search(final))) return;
  }

  return {
    begin(startsInStep, newTrust) {
      at = 0;
      filled = 0;
      offset = 0;
      inStep = startsInStep;
      damage = startsInStep
        ? undefined
        : { start: 0, claimedEnd: -1, code: 'RESYNC', message: 'the beginning of a record is missing' };
      trust = newTrust;
    },
    trust(newTrust) {
      trust = newTrust;
    },
    push(chunk) {
      append(chunk);
      consume(false);
    },
    end(cut) {
      // What is left in step is an incomplete record, or a false length that swallowed complete ones.
      while (at < filled) {
        if (!inStep) search(true);
        else if (!stepIn()) {
          fallOut('FRAME_TRUNCATED', 'the stream ends inside a record', cut ? offset + filled - at : -1);
        }
      }
      if (damage !== undefined) {
        const truncatedRecord = damage.code === 'FRAME_TRUNCATED' || damage.claimedEnd === offset;
        report(damage.start, offset, truncatedRecord);
        damage = undefined;
      }
    },
  };
}

type Varint = { value: number; next: number };

/** A varint of at most 5 bytes. */
function varintAt(buf: Buffer, pos: number, end: number): Varint | 'cut' | 'bad' {
  let value = 0;
  let scale = 1;
  for (let i = 0; i < 5; i++) {
    if (pos + i >= end) return 'cut';
    const b = buf[pos + i];
    value += (b & 0x7f) * scale;
    if (b < 0x80) return { value, next: pos + i + 1 };
    scale *= 128;
  }
  return 'bad';
}

/** The nested lengths of a frame at `pos`, when they agree: envelope.data, active_contract and created_event. */
function provenHeader(
  buf: Buffer,
  pos: number,
  end: number,
  maxRecordBytes: number,
): { bodyStart: number; end: number } | 'cut' | undefined {
  const frame = varintAt(buf, pos, end);
  if (frame === 'cut') return 'cut';
  if (frame === 'bad' || frame.value < 8 || frame.value > maxRecordBytes) return undefined;
  const frameEnd = frame.next + frame.value;
  let inner = frame.next;
  let innerEnd = frameEnd - 2;
  for (let level = 0; level < 3; level++) {
    if (inner >= end) return 'cut';
    if (buf[inner] !== 0x0a) return undefined;
    const length = varintAt(buf, inner + 1, end);
    if (length === 'cut') return 'cut';
    if (length === 'bad') return undefined;
    const fits = level < 2 ? length.next + length.value === innerEnd : length.next + length.value <= innerEnd;
    if (!fits) return undefined;
    inner = length.next;
    innerEnd = length.next + length.value;
  }
  return { bodyStart: frame.next, end: frameEnd };
}
