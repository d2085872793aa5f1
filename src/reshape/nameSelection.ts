/**
 * Naming parties or synchronizers by their full id or by a unique prefix, without a second pass over the file: every id
 * met is shown to the selection, which remembers what each prefix stands for and notices a second candidate.
 */
import { AcsError } from '../io/error.js';

/** Different ids remembered per ambiguous prefix, for the message. */
const MAX_CANDIDATES = 10;

const NONE: readonly number[] = [];
/** `hint::1220…`: a namespace with a whole fingerprint cannot be the prefix of another id. */
const FULL_ID = /::1220[0-9a-f]{64}$/;

export interface NameSelection {
  /** The texts as given. */
  readonly texts: readonly string[];
  /** True when some text is a prefix, so that every id of the file must be shown. */
  readonly hasPrefixes: boolean;
  /** Numbers of the texts that select `id`. Call it for every different id of the file (again is harmless). */
  matches(id: string): readonly number[];
  /** True once a prefix has two candidates; {@link finish} will throw. */
  readonly ambiguous: boolean;
  /** What each prefix turned out to stand for, and the texts that selected nothing. Throws `NAME_*` (exit status 2). */
  finish(): { resolved: Record<string, string>; unmatched: string[] };
}

/**
 * `what` is the noun for messages. A text of the form `hint::1220<64 hex>` is a full id, `=text` names exactly `text`,
 * anything else is a prefix.
 */
export function nameSelection(texts: readonly string[], what: string): NameSelection {
  const exact = new Map<string, number[]>();
  const prefixes: { text: string; index: number; candidates: Set<string> }[] = [];
  const seen = new Set<string>();
  let ambiguous = false;
  texts.forEach((text, index) => {
    if (text === '' || text === '=') {
      throw new AcsError('NAME_EMPTY', `an empty ${what} was given`, { exitCode: 2 });
    }
    const id = text.startsWith('=') ? text.slice(1) : FULL_ID.test(text) ? text : undefined;
    if (id !== undefined) exact.set(id, [...(exact.get(id) ?? []), index]);
    else prefixes.push({ text, index, candidates: new Set() });
  });

  return {
    texts,
    hasPrefixes: prefixes.length > 0,
    matches(id) {
      let found: number[] | undefined;
      const indexes = exact.get(id);
      if (indexes !== undefined) {
        seen.add(id);
        found = [...indexes];
      }
      for (const prefix of prefixes) {
        if (!id.startsWith(prefix.text)) continue;
        if (prefix.candidates.size < MAX_CANDIDATES) prefix.candidates.add(id);
        if (prefix.candidates.size > 1) ambiguous = true;
        found ??= [];
        found.push(prefix.index);
      }
      return found ?? NONE;
    },
    get ambiguous() {
      return ambiguous;
    },
    finish() {
      const resolved: Record<string, string> = {};
      for (const { text, candidates } of prefixes) {
        const list = [...candidates].sort();
        if (list.length > 1) {
          throw new AcsError('NAME_AMBIGUOUS', `"${text}" is the beginning of more than one ${what}`, {
            expected: `a full ${what} id or a prefix of exactly one`,
            found: `${list.length === MAX_CANDIDATES ? 'among others ' : ''}${list.join(', ')}`,
            hint: `write more of the id, e.g. "${text}::" when "${text}" is the whole hint; =ID names exactly ID`,
            exitCode: 2,
          });
        }
        if (list.length === 0) {
          throw new AcsError('NAME_NOT_FOUND', `no ${what} in the file begins with "${text}"`, {
            expected: `the id of a ${what}, or a prefix of it`,
            hint: '`acs info` lists the parties and synchronizers of a file',
            exitCode: 2,
          });
        }
        resolved[text] = list[0];
      }
      return { resolved, unmatched: [...exact.keys()].filter((id) => !seen.has(id)) };
    },
  };
}
