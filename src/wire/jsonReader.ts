/**
 * A strict JSON reader for values: keeps the order of keys, refuses double keys, keeps numbers as text. `JSON.parse`
 * does none of these.
 */
import { AcsError } from '../io/error.js';

export type JsonNode =
  | { readonly kind: 'null' }
  | { readonly kind: 'bool'; readonly value: boolean }
  /** The number as written. */
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  | { readonly kind: 'object'; readonly members: ReadonlyMap<string, JsonNode> };

/** Deeper than any value: each level of a value takes at most two levels of JSON. */
const MAX_JSON_DEPTH = 1000;

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const SPACE = /[ \t\n\r]*/y;
/** Everything up to the closing quote; escapes are decoded by JSON.parse. */
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** Errors: `JSON_MALFORMED`, with line and offset of the mistake. */
export function readJson(text: string): JsonNode {
  const parser = new Parser(text);
  const node = parser.value(0);
  parser.end();
  return node;
}

class Parser {
  private readonly text: string;
  private pos = 0;

  constructor(text: string) {
    this.text = text;
  }

  private fail(message: string, expected?: string): never {
    const before = this.text.slice(0, this.pos);
    throw new AcsError('JSON_MALFORMED', message, {
      line: before.split('\n').length,
      expected,
      found:
        this.pos < this.text.length
          ? JSON.stringify(this.text.slice(this.pos, this.pos + 20))
          : 'end of text',
    });
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.pos;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.pos += found.length;
    return found;
  }

  private space(): void {
    this.match(SPACE);
  }

  end(): void {
    this.space();
    if (this.pos < this.text.length) this.fail('text after the JSON value', 'the end');
  }

  value(depth: number): JsonNode {
    if (depth > MAX_JSON_DEPTH) this.fail('JSON nested too deeply', `at most ${MAX_JSON_DEPTH} levels`);
    this.space();
    switch (this.text[this.pos]) {
      case '{':
        return this.object(depth);
      case '[':
        return this.array(depth);
      case '"':
        return { kind: 'string', value: this.string() };
      case 't':
        return this.word('true', { kind: 'bool', value: true });
      case 'f':
        return this.word('false', { kind: 'bool', value: false });
      case 'n':
        return this.word('null', { kind: 'null' });
      default: {
        const text = this.match(NUMBER);
        if (text === undefined)
          this.fail('not a JSON value', 'an object, array, string, number, true, false or null');
        return { kind: 'number', text };
      }
    }
  }

  private word(word: string, node: JsonNode): JsonNode {
    if (!this.text.startsWith(word, this.pos)) this.fail('not a JSON value', word);
    this.pos += word.length;
    return node;
  }

  private string(): string {
    const raw = this.match(STRING);
    if (raw === undefined) this.fail('a string is not well-formed or does not end');
    const value = raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1);
    if (LONE_SURROGATE.test(value)) this.fail('a string holds half a surrogate pair', 'well-formed Unicode');
    return value;
  }

  private array(depth: number): JsonNode {
    this.pos++;
    const items: JsonNode[] = [];
    this.space();
    if (this.text[this.pos] === ']') {
      this.pos++;
      return { kind: 'array', items };
    }
    for (;;) {
      items.push(this.value(depth + 1));
      this.space();
      const next = this.text[this.pos++];
      if (next === ']') return { kind: 'array', items };
      if (next !== ',') {
        this.pos--;
        this.fail('an array is not well-formed', '"," or "]"');
      }
    }
  }

  private object(depth: number): JsonNode {
    this.pos++;
    const members = new Map<string, JsonNode>();
    this.space();
    if (this.text[this.pos] === '}') {
      this.pos++;
      return { kind: 'object', members };
    }
    for (;;) {
      this.space();
      if (this.text[this.pos] !== '"') this.fail('an object is not well-formed', 'a key in quotes');
      const key = this.string();
      if (members.has(key)) this.fail(`the key ${JSON.stringify(key)} occurs twice`);
      this.space();
      if (this.text[this.pos] !== ':') this.fail('an object is not well-formed', '":"');
      this.pos++;
      members.set(key, this.value(depth + 1));
      this.space();
      const next = this.text[this.pos++];
      if (next === '}') return { kind: 'object', members };
      if (next !== ',') {
        this.pos--;
        this.fail('an object is not well-formed', '"," or "}"');
      }
    }
  }
}
