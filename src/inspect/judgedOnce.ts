/** What is said of byte strings that come again and again, without saying it anew each time. */
import { Interner } from '../wire/interner.js';

export type Judgement<T> = (buf: Buffer, start: number, end: number) => T;

/** The same as `judge`, remembered for up to `capacity` different strings. */
export function judgedOnce<T>(capacity: number, judge: Judgement<T>): Judgement<T> {
  const strings = new Interner(capacity);
  const judgements: T[] = [];
  let last = -1;
  return (buf, start, end) => {
    const id = strings.id(buf, start, end, last);
    last = id;
    if (id < 0) return judge(buf, start, end);
    if (id === judgements.length) judgements.push(judge(buf, start, end));
    return judgements[id];
  };
}
