/** Finding party ids inside texts: no map changes them, so they have to be reported (contract-id spec, section 7.1). */

export interface TextParties {
  /** A party of the set that occurs in the text, or undefined. */
  find(text: string): string | undefined;
  /** False when the UTF-8 text cannot hold any of them: a quick look at the bytes. */
  looksInto(buf: Buffer, start: number, end: number): boolean;
}

/**
 * Ids with fingerprint are found anywhere in a text; plain names only as the whole text or as a word of it, since short
 * names are ordinary words.
 */
export function textParties(parties: Iterable<string>): TextParties {
  const plain = new Set<string>();
  const full = new Set<string>();
  const hintLengths = new Set<number>();
  const namespaceLengths = new Set<number>();
  for (const party of parties) {
    const at = party.indexOf('::');
    if (at < 0) plain.add(party);
    else {
      full.add(party);
      hintLengths.add(at);
      namespaceLengths.add(party.length - at - 2);
    }
  }
  return {
    looksInto(buf, start, end) {
      if (plain.size > 0) return true;
      if (full.size === 0) return false;
      for (let i = start + 1; i < end; i++) if (buf[i] === 0x3a && buf[i - 1] === 0x3a) return true;
      return false;
    },
    find(text) {
      if (full.size > 0) {
        for (let at = text.indexOf('::'); at >= 0; at = text.indexOf('::', at + 1)) {
          for (const hint of hintLengths) {
            if (hint > at) continue;
            for (const namespace of namespaceLengths) {
              const candidate = text.slice(at - hint, at + 2 + namespace);
              if (full.has(candidate)) return candidate;
            }
          }
        }
      }
      if (plain.size === 0) return undefined;
      if (plain.has(text)) return text;
      for (const [word] of text.matchAll(/[A-Za-z0-9_:-]+/g)) if (plain.has(word)) return word;
      return undefined;
    },
  };
}
