/**
 * Reading a JSON object by its members without building the values: each member is a slice of the text, so that big
 * numbers and the order of keys inside a payload survive until a reader that knows the types takes them.
 */
import { duplicateKey } from '../io/duplicateKey.js';
import { AcsError } from '../io/error.js';
import { decodeUtf8 } from '../wire/reader.js';
import { parseInstant } from './instant.js';

const MAX_DEPTH = 1000;
export const MAX_INT32 = 2n ** 31n - 1n;
export const MAX_INT64 = 2n ** 63n - 1n;
export const MAX_UINT64 = 2n ** 64n - 1n;

/** A JSON value as bytes. */
export class JsonSlice {
  readonly buf: Buffer;
  readonly start: number;
  readonly end: number;
  /** Where it stands in the element, for messages. */
  readonly path: string;
  constructor(buf: Buffer, start: number, end: number, path: string) {
    this.buf = buf;
    this.start = start;
    this.end = end;
    this.path = path;
  }

  /** The JSON text of the value. */
  get text(): string {
    return decodeUtf8(this.buf, this.start, this.end);
  }

  /** `{`, `[`, `"`, `n`, `t`, `f`, `-` or a digit. */
  get first(): string {
    return String.fromCharCode(this.buf[this.start]);
  }

  parse(): unknown {
    const { text } = this;
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch (cause) {
      if (cause instanceof AcsError) throw cause;
      throw new AcsError('JSON_SYNTAX', `the JSON is malformed (${(cause as Error).message})`, {
        path: this.path,
        cause,
      });
    }
    const twice = this.first === '{' || this.first === '[' ? duplicateKey(text) : undefined;
    if (twice !== undefined) {
      const steps = twice.slice(0, -1).map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`));
      throw duplicateMember(`${twice[twice.length - 1]}`, `${this.path}${steps.join('')}`.replace(/^\./, ''));
    }
    return json;
  }

  /** The members of an object. */
  members(): JsonMembers {
    return new JsonMembers(this);
  }

  /** The elements of an array. */
  elements(): JsonSlice[] {
    if (this.first !== '[') throw this.wrong('an array');
    const scanner = new Scanner(this);
    return scanner.array();
  }

  wrong(expected: string): AcsError {
    return new AcsError('JSON_WRONG_TYPE', 'a JSON value has the wrong type', {
      path: this.path,
      expected,
      found: this.text.slice(0, 60),
    });
  }
}

/** The members of one object, by name. A member that is `null` counts as absent. */
export class JsonMembers {
  readonly slice: JsonSlice;
  private readonly byName: Map<string, JsonSlice>;

  constructor(slice: JsonSlice) {
    if (slice.first !== '{') throw slice.wrong('an object');
    this.slice = slice;
    this.byName = new Scanner(slice).object();
  }

  names(): string[] {
    return [...this.byName.keys()];
  }

  get(...names: string[]): JsonSlice | undefined {
    for (const name of names) {
      const found = this.byName.get(name);
      if (found !== undefined && found.first !== 'n') return found;
    }
    return undefined;
  }

  require(...names: string[]): JsonSlice {
    const found = this.get(...names);
    if (found !== undefined) return found;
    throw new AcsError('JSON_MEMBER_MISSING', `the JSON object lacks "${names[0]}"`, {
      path: this.slice.path,
      expected: names.map((name) => `"${name}"`).join(' or '),
      found: this.names().slice(0, 20).join(', ') || 'no members',
    });
  }

  string(...names: string[]): string | undefined {
    const found = this.get(...names);
    if (found === undefined) return undefined;
    const value = found.parse();
    if (typeof value !== 'string') throw found.wrong('a string');
    return value;
  }

  requireString(...names: string[]): string {
    const found = this.require(...names);
    const value = found.parse();
    if (typeof value !== 'string') throw found.wrong('a string');
    return value;
  }

  /** A contract id: any text but an empty one. */
  contractId(...names: string[]): string {
    const id = this.requireString(...names);
    if (id === '') throw this.require(...names).wrong('a contract id');
    return id;
  }

  /** Absent reads as empty. */
  strings(...names: string[]): string[] {
    const found = this.get(...names);
    if (found === undefined) return [];
    const value = found.parse();
    if (!Array.isArray(value) || value.some((item) => typeof item !== 'string'))
      throw found.wrong('an array of strings');
    return value as string[];
  }

  /** An integer from 0 to `most`, as number or string. */
  integer(most: bigint, ...names: string[]): bigint | undefined {
    const found = this.get(...names);
    if (found === undefined) return undefined;
    const text = found.text;
    const digits = text.startsWith('"') ? text.slice(1, -1) : text;
    const value = /^[0-9]{1,20}$/.test(digits) ? BigInt(digits) : -1n;
    if (value < 0n || value > most) throw found.wrong(`an integer from 0 to ${most}`);
    return value;
  }

  boolean(...names: string[]): boolean | undefined {
    const found = this.get(...names);
    if (found === undefined) return undefined;
    const value = found.parse();
    if (typeof value !== 'boolean') throw found.wrong('true or false');
    return value;
  }

  /** ISO 8601 with zone, as microseconds since the epoch. */
  instant(...names: string[]): bigint | undefined {
    const text = this.string(...names);
    if (text === undefined) return undefined;
    const micros = parseInstant(text);
    if (micros === undefined) throw this.require(...names).wrong('an ISO 8601 time with zone');
    return micros;
  }

  /** Base64 bytes. */
  base64(...names: string[]): Buffer | undefined {
    const text = this.string(...names);
    return text === undefined || text === '' ? undefined : decodeBase64(text, this.require(...names).path);
  }
}

function duplicateMember(name: string, path: string): AcsError {
  return new AcsError('JSON_DUPLICATE_MEMBER', `the JSON object has "${name}" twice`, { path });
}

/** Standard or URL-safe base64; anything else is an error, never skipped over. */
export function decodeBase64(text: string, path?: string): Buffer {
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) {
    throw new AcsError('BASE64_MALFORMED', 'the text is not base64', {
      expected: 'base64',
      found: text.slice(0, 40),
      ...(path === undefined ? {} : { path }),
    });
  }
  const bytes = Buffer.from(text, 'base64');
  const digits = text.replace(/=+$/, '').length;
  if (digits % 4 === 1 || bytes.length !== Math.floor((digits * 3) / 4)) {
    throw new AcsError('BASE64_MALFORMED', 'the base64 text is cut', {
      found: `${digits} digits`,
      ...(path === undefined ? {} : { path }),
    });
  }
  return bytes;
}

/** Finds the borders of values; the values themselves are checked by whoever parses them. */
class Scanner {
  private readonly buf: Buffer;
  private pos: number;
  private readonly end: number;
  private readonly path: string;

  constructor(slice: JsonSlice) {
    this.buf = slice.buf;
    this.pos = slice.start;
    this.end = slice.end;
    this.path = slice.path;
  }

  private fail(expected: string): AcsError {
    return new AcsError('JSON_SYNTAX', 'the JSON is malformed', {
      path: this.path,
      expected,
      found:
        this.pos < this.end
          ? this.buf.toString('latin1', this.pos, Math.min(this.end, this.pos + 20))
          : 'the end of the value',
    });
  }

  private space(): void {
    while (this.pos < this.end) {
      const b = this.buf[this.pos];
      if (b !== 0x20 && b !== 0x0a && b !== 0x0d && b !== 0x09) return;
      this.pos++;
    }
  }

  private take(byte: number, expected: string): void {
    this.space();
    if (this.buf[this.pos] !== byte || this.pos >= this.end) throw this.fail(expected);
    this.pos++;
  }

  private at(byte: number): boolean {
    this.space();
    return this.pos < this.end && this.buf[this.pos] === byte;
  }

  object(): Map<string, JsonSlice> {
    const members = new Map<string, JsonSlice>();
    this.take(0x7b, '"{"');
    if (this.at(0x7d)) this.pos++;
    else {
      for (;;) {
        this.space();
        const nameStart = this.pos;
        this.skipString();
        const name = this.parseName(nameStart);
        this.take(0x3a, '":"');
        this.space();
        const start = this.pos;
        this.skipValue();
        const path = this.path === '' ? name : `${this.path}.${name}`;
        if (members.has(name)) {
          throw duplicateMember(name, this.path);
        }
        members.set(name, new JsonSlice(this.buf, start, this.pos, path));
        if (this.at(0x2c)) {
          this.pos++;
          continue;
        }
        this.take(0x7d, '"," or "}"');
        break;
      }
    }
    this.expectEnd();
    return members;
  }

  array(): JsonSlice[] {
    const items: JsonSlice[] = [];
    this.take(0x5b, '"["');
    if (this.at(0x5d)) this.pos++;
    else {
      for (;;) {
        this.space();
        const start = this.pos;
        this.skipValue();
        items.push(new JsonSlice(this.buf, start, this.pos, `${this.path}[${items.length}]`));
        if (this.at(0x2c)) {
          this.pos++;
          continue;
        }
        this.take(0x5d, '"," or "]"');
        break;
      }
    }
    this.expectEnd();
    return items;
  }

  private expectEnd(): void {
    this.space();
    if (this.pos < this.end) throw this.fail('the end of the value');
  }

  private parseName(start: number): string {
    try {
      return JSON.parse(decodeUtf8(this.buf, start, this.pos)) as string;
    } catch {
      this.pos = start;
      throw this.fail('a member name');
    }
  }

  private skipString(): void {
    if (this.buf[this.pos] !== 0x22 || this.pos >= this.end) throw this.fail('a string');
    this.pos++;
    while (this.pos < this.end) {
      const b = this.buf[this.pos++];
      if (b === 0x5c) this.pos++;
      else if (b === 0x22) return;
    }
    throw this.fail('the end of a string');
  }

  private skipValue(): void {
    const first = this.buf[this.pos];
    if (this.pos >= this.end) throw this.fail('a value');
    if (first === 0x22) {
      this.skipString();
      return;
    }
    if (first === 0x7b || first === 0x5b) {
      let depth = 0;
      while (this.pos < this.end) {
        const b = this.buf[this.pos];
        if (b === 0x22) {
          this.skipString();
          continue;
        }
        this.pos++;
        if (b === 0x7b || b === 0x5b) {
          if (++depth > MAX_DEPTH) throw this.fail(`at most ${MAX_DEPTH} levels`);
        } else if ((b === 0x7d || b === 0x5d) && --depth === 0) return;
      }
      throw this.fail('the end of a value');
    }
    const start = this.pos;
    while (this.pos < this.end && !SCALAR_END.has(this.buf[this.pos])) this.pos++;
    if (this.pos === start) throw this.fail('a value');
  }
}

const SCALAR_END = new Set([0x2c, 0x5d, 0x7d, 0x20, 0x0a, 0x0d, 0x09]);
