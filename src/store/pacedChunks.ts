/** An input that comes slowly, as from a program that is still running: what it has given so far is not to wait for the rest. */

/** What has come is stored after about this long, in ms, though the input has not ended. */
const STORE_AFTER = 1000;
/** An input that takes longer than this for a chunk, in ms, makes us wait; a file does not. */
const WAITED = 20;

/** The chunks; `waiting` among them where the input makes us wait although earlier chunks have been there for a while. */
export async function* pacedChunks(chunks: AsyncGenerator<Buffer>): AsyncGenerator<Buffer | 'waiting'> {
  let due: number | undefined;
  for (;;) {
    const next = chunks.next();
    while (due !== undefined && !(await settles(next, Math.max(WAITED, due - performance.now())))) {
      due = performance.now() + STORE_AFTER;
      yield 'waiting';
    }
    const step = await next;
    if (step.done === true) return;
    due ??= performance.now() + STORE_AFTER;
    yield step.value;
  }
}

/** Whether a promise settles within `ms`. */
async function settles(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((done) => {
    timer = setTimeout(done, ms, false);
  });
  const settled = promise.then(
    () => true,
    () => true,
  );
  try {
    return await Promise.race([settled, late]);
  } finally {
    clearTimeout(timer);
  }
}
