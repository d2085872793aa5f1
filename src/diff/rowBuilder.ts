/** Makes the row of a contract from what an input shows of it. */
import { hash, randomBytes } from 'node:crypto';
import { type BlobView, SERIALIZATION_VERSIONS } from '../contract/blob.js';
import { AcsError } from '../io/error.js';
import { wordsOf } from '../wire/sameBytes.js';
import { HAS_CONTENT, IN_FLIGHT, MAX_ID_BYTES, ROW, rowWords } from './row.js';
import { numberOf, type Vocabulary } from './vocabulary.js';

/** Drawn at random for one comparison, so that nobody can prepare fields that collide. */
export function newRowKey(): Int32Array {
  return Int32Array.from({ length: 4 }, () => randomBytes(4).readInt32LE(0));
}

/** Fills {@link RowBuilder.words}; reused from contract to contract. */
export class RowBuilder {
  readonly words: Int32Array;
  private readonly bytes: Buffer;
  private readonly key: Int32Array;
  readonly vocabulary: Vocabulary;
  // Records that follow one another mostly have the same names.
  private lastSynchronizer = -1;
  private lastTemplate = -1;
  private lastName = -1;
  private lastPackage = -1;
  /** Where {@link glance} has found the contract id. */
  private glancedId = -1;

  /** `inputs`: how many inputs are compared. `key`: four words from {@link newRowKey}, the same for all that is compared. */
  constructor(vocabulary: Vocabulary, inputs: number, key: Int32Array) {
    this.vocabulary = vocabulary;
    this.words = new Int32Array(rowWords(inputs));
    this.bytes = Buffer.from(this.words.buffer);
    this.key = key;
  }

  /** Starts a row that is seen in one input. */
  begin(input: number): this {
    this.words.fill(0);
    this.words[ROW.synchronizer] = -1;
    this.words[ROW.inputs + (input >>> 5)] = 1 << (input & 31);
    return this;
  }

  /** Starts a row that is seen in several of the first 32 inputs, one bit each. */
  beginFor(inputs: number): this {
    this.words.fill(0);
    this.words[ROW.synchronizer] = -1;
    this.words[ROW.inputs] = inputs;
    return this;
  }

  /** The contract id as bytes. Throws `DIFF_BAD_CONTRACT_ID`. */
  id(buf: Buffer, start: number, end: number): this {
    const n = end - start;
    if (n < 2 || n > MAX_ID_BYTES || buf[start]! > 1) {
      throw new AcsError('DIFF_BAD_CONTRACT_ID', 'not a contract id of a Canton 3 participant', {
        byteOffset: start,
        expected: `2 to ${MAX_ID_BYTES} bytes, the first 00 or 01`,
        found: buf.toString('hex', start, Math.min(end, start + 80)),
        hint: 'convert old contract ids first; see `acs verify`',
      });
    }
    this.bytes[0] = n;
    // A native copy costs more than these few bytes.
    for (let i = 0; i < n; i++) this.bytes[1 + i] = buf[start + i]!;
    return this;
  }

  /** Those of the id. */
  get idBytes(): Buffer {
    return this.bytes.subarray(1, 1 + this.bytes[0]!);
  }

  /** The halves of the counter. */
  counterWords(low: number, high: number): this {
    this.words[ROW.counterLow] = low;
    this.words[ROW.counterHigh] = high;
    return this;
  }

  counter(counter: bigint): this {
    this.words[ROW.counterLow] = Number(counter & 0xffffffffn) | 0;
    this.words[ROW.counterHigh] = Number(counter >> 32n) | 0;
    return this;
  }

  synchronizer(buf: Buffer, start: number, end: number): this {
    this.lastSynchronizer = numberOf(
      this.vocabulary,
      'synchronizers',
      buf,
      start,
      end,
      this.lastSynchronizer,
    );
    this.words[ROW.synchronizer] = this.lastSynchronizer;
    return this;
  }

  inFlight(): this {
    this.words[ROW.flags]! |= IN_FLIGHT;
    return this;
  }

  /**
   * Takes contract id and digest of a blob in its usual form without decoding the rest: enough to find out whether
   * another input has shown these very bytes. False when the blob has another form; then nothing has changed.
   */
  glance(buf: Buffer, start: number, end: number): boolean {
    const at = usualIdStart(buf, start, end);
    if (at < 0) return false;
    this.id(buf, at, at + buf[at - 1]!);
    this.glancedId = at;
    this.digest(buf, start, end);
    return true;
  }

  /** Takes all that follows from the content from a row of the same content. */
  contentOf(words: Int32Array, at: number): this {
    this.words[ROW.flags]! |= HAS_CONTENT;
    for (let i = ROW.parties; i < ROW.inputs; i++) this.words[i] = words[at + i]!;
    this.words[ROW.representative] = -1;
    return this;
  }

  private digest(buf: Buffer, start: number, end: number): void {
    const { words } = this;
    const digest = hash('sha256', buf.subarray(start, end), 'binary');
    for (let i = 0; i < 4; i++) {
      words[ROW.digest + i] =
        digest.charCodeAt(4 * i) |
        (digest.charCodeAt(4 * i + 1) << 8) |
        (digest.charCodeAt(4 * i + 2) << 16) |
        (digest.charCodeAt(4 * i + 3) << 24);
    }
  }

  /**
   * Takes the contract id and the content from the blob. `start` and `end` are its borders in `blob.buf`; `glanced`
   * says that {@link glance} has done the first part.
   */
  content(blob: BlobView, start: number, end: number, glanced = false): this {
    const { words, vocabulary } = this;
    const { buf } = blob;
    // Of a field that is there twice the last one counts.
    if (!glanced || this.glancedId !== blob.contractIdStart)
      this.id(buf, blob.contractIdStart, blob.contractIdEnd);
    if (!glanced) this.digest(buf, start, end);
    words[ROW.flags]! |= HAS_CONTENT;
    words[ROW.parties] = vocabulary.parties.ofBlob(blob);
    const template = numberOf(
      vocabulary,
      'templates',
      buf,
      blob.templateStart,
      blob.templateEnd,
      this.lastTemplate,
    );
    this.lastTemplate = template;
    words[ROW.template] = template;
    if (template === vocabulary.templateNames.length) {
      const { packageId, moduleName, entityName } = blob.templateId;
      vocabulary.templateNames.push(`${packageId}:${moduleName}:${entityName}`);
    }
    // The blob's version is one of three; 2.1 is the usual one and adds nothing to the package name's number.
    const name = numberOf(
      vocabulary,
      'headers',
      buf,
      blob.packageNameStart,
      blob.packageNameEnd,
      this.lastName,
    );
    this.lastName = name;
    words[ROW.header] = 4 * name + SERIALIZATION_VERSIONS.indexOf(blob.serializationVersion);
    words[ROW.representative] = -1;
    const micros = blob.createdAt;
    words[ROW.createdLow] = Number(BigInt.asIntN(32, micros));
    words[ROW.createdHigh] = Number(micros >> 32n);
    this.keyedPair(buf, blob.argumentStart, blob.argumentEnd);
    words[ROW.authentication] = this.keyed(buf, blob.authenticationStart, blob.authenticationEnd, 2);
    if (blob.hasKey) {
      words[ROW.key] =
        this.keyed(buf, blob.keyValueStart, blob.keyValueEnd, 3) ^
        Math.imul(this.keyed(buf, blob.keyHashStart, blob.keyHashEnd, 1), 5);
    }
    return this;
  }

  /** Two independent hashes of the argument in one go. */
  private keyedPair(buf: Buffer, start: number, end: number): void {
    const m = this.key[1]! | 1;
    const n = this.key[2]! | 1;
    let h = this.key[0]! ^ (end - start);
    let g = this.key[3]! ^ (end - start);
    let i = start;
    const view = wordsOf(buf);
    for (; i + 4 <= end; i += 4) {
      const word = view.getInt32(i, true);
      h = Math.imul(h ^ word, m);
      h ^= h >>> 15;
      g = Math.imul(g ^ word, n);
      g ^= g >>> 13;
    }
    for (; i < end; i++) {
      h = Math.imul(h ^ buf[i]!, m);
      g = Math.imul(g ^ buf[i]!, n);
    }
    this.words[ROW.argument] = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    this.words[ROW.argument + 1] = Math.imul(g ^ (g >>> 16), 0xc2b2ae35);
  }

  /** The package that represents the contract; an empty one is that of its creation. */
  representative(buf: Buffer, start: number, end: number): this {
    let number = -1;
    if (end > start) {
      number = numberOf(this.vocabulary, 'packages', buf, start, end, this.lastPackage);
      this.lastPackage = number;
    }
    this.words[ROW.representative] = number;
    return this;
  }

  private keyed(buf: Buffer, start: number, end: number, lane: number): number {
    let h = this.key[lane]! ^ (end - start);
    const multiplier = this.key[(lane + 1) & 3]! | 1;
    let i = start;
    const view = wordsOf(buf);
    for (; i + 4 <= end; i += 4) {
      const word = view.getInt32(i, true);
      h = Math.imul(h ^ word, multiplier);
      h ^= h >>> 15;
    }
    for (; i < end; i++) h = Math.imul(h ^ buf[i]!, multiplier);
    h ^= h >>> 16;
    return Math.imul(h, 0x85ebca6b) ^ (h >>> 13);
  }
}

/**
 * Where the contract id starts in a blob that is written as usual: version of one byte length, then the payload, whose
 * first field is the id. -1 when it is not.
 */
export function usualIdStart(buf: Buffer, start: number, end: number): number {
  if (start + 16 > end || buf[start] !== 0x0a || buf[start + 1]! > 8) return -1;
  let at = start + 2 + buf[start + 1]!;
  if (buf[at++] !== 0x12) return -1;
  for (let i = 0; i < 4 && buf[at++]! >= 0x80; i++);
  if (buf[at++] !== 0x0a) return -1;
  const length = buf[at++]!;
  return length >= 2 && length <= MAX_ID_BYTES && at + length < end ? at : -1;
}
