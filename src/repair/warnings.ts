/** The pitfalls of repairs (legacy-import-and-recovery spec, section 6) and where a plan meets them. */

export const PITFALLS = {
  D1: 'LIMIT',
  D2: 'IN_FLIGHT',
  D3: 'PENDING_TOPOLOGY',
  D4: 'COUNTER_NONZERO',
  D5: 'ARCHIVED_READD',
  D6: 'ONE_SIDED',
  D7: 'FOREIGN_SYNC',
  D8: 'TIME_SKEW',
  D9: 'UNHOSTED',
  D10: 'FUTURE_CREATED',
  D11: 'MERGED_PARTIES',
  D12: 'TEXT_PARTY',
  D13: 'LF_VERSION',
  D14: 'RESTORED',
  D15: 'CONNECTED',
} as const;

export type PitfallCode = keyof typeof PITFALLS;

export interface PlanWarning {
  code: PitfallCode;
  name: string;
  message: string;
  /** How many contracts, inputs or parties. */
  count: number;
  /** The first few of them. */
  examples: string[];
}

/** Why a plan says nothing of these: they arise elsewhere. */
export const NOT_CHECKED: readonly { code: PitfallCode; name: string; reason: string }[] = [
  { code: 'D11', name: PITFALLS.D11, reason: 'a plan changes no parties; `acs remap` checks it' },
  { code: 'D12', name: PITFALLS.D12, reason: 'a plan changes no parties; `acs remap` checks it' },
  { code: 'D14', name: PITFALLS.D14, reason: 'needs the journal of earlier repairs' },
  { code: 'D15', name: PITFALLS.D15, reason: 'needs the running participant; the first step disconnects it' },
];

const EXAMPLES = 5;

export interface WarningCollector {
  add(code: PitfallCode, message: string, example?: string): void;
  /** By code, then message. */
  list(): PlanWarning[];
}

/** Collects warnings; those of the same code and message are counted together. */
export function collectWarnings(): WarningCollector {
  const found = new Map<string, PlanWarning>();
  return {
    add(code, message, example) {
      const key = `${code} ${message}`;
      let warning = found.get(key);
      if (warning === undefined) {
        warning = { code, name: PITFALLS[code], message, count: 0, examples: [] };
        found.set(key, warning);
      }
      warning.count++;
      if (example !== undefined && warning.examples.length < EXAMPLES) warning.examples.push(example);
    },
    list: () =>
      [...found.values()].sort(
        (a, b) => Number(a.code.slice(1)) - Number(b.code.slice(1)) || (a.message < b.message ? -1 : 1),
      ),
  };
}
