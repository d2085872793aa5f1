/** The hash engine in plain JavaScript: the fallback for BLAKE2Xb and the only one for BLAKE3. */
import { blake2xb } from './blake2xb.js';
import { blake3Xof } from './blake3Xof.js';
import type { Expansion, LtHashEngine } from './ltHashEngine.js';
import { addState, checkState, emptyState, LTHASH_BYTES, subtractState } from './lthash16.js';

export function openJavascriptEngine(expansion: Expansion): LtHashEngine {
  const expandInto = expansion === 'blake2xb' ? blake2xb : blake3Xof;
  const states: Uint8Array[] = [];
  const free: number[] = [];
  const scratch = emptyState();
  const combine = (slot: number, state: Uint8Array, sign: 1 | -1): void => {
    checkState(state);
    if (sign === 1) addState(states[slot]!, state);
    else subtractState(states[slot]!, state);
  };
  return {
    kind: 'javascript',
    open() {
      const slot = free.pop() ?? states.length;
      states[slot] = emptyState();
      return slot;
    },
    close(slot) {
      free.push(slot);
    },
    change(slot, element, sign) {
      combine(slot, expandInto(element, LTHASH_BYTES, scratch), sign);
    },
    combine,
    read(slot, into) {
      const out = into ?? emptyState();
      out.set(states[slot]!);
      return out;
    },
    write(slot, state) {
      checkState(state);
      states[slot]!.set(state);
    },
    expand(element, into) {
      return expandInto(element, LTHASH_BYTES, into ?? emptyState());
    },
  };
}
