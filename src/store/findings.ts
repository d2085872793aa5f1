/** What an event stream shows that it should not: codes, levels, and how strict to be (ledger-semantics spec, section 7). */
import { AcsError } from '../io/error.js';

/** E: the update is refused; W: recorded and gone on; N: notice. */
export type FindingLevel = 'E' | 'W' | 'N';

interface Rule {
  level: FindingLevel;
  /** E that `--lenient` turns into W. */
  lenient?: true;
  text: string;
}

/** Every code a store records. docs/STORE.md shows this table. */
export const FINDINGS = {
  OFFSET_NOT_INCREASING: { level: 'E', text: 'the offsets of a file of updates do not increase' },
  OFFSET_REPLAY_DIFFERS: {
    level: 'E',
    text: 'an offset already taken comes again with other content: the participant was restored from a backup, or the stream is that of another participant or filter',
  },
  RECORD_TIME_DECREASES: {
    level: 'E',
    lenient: true,
    text: 'the record time of a synchronizer is lower than its last one',
  },
  DUPLICATE_EVENT_ID: { level: 'E', text: 'offset and node id occur twice' },
  DUPLICATE_UPDATE_ID: { level: 'E', lenient: true, text: 'one update id at two offsets' },
  SYNC_MISMATCH: {
    level: 'E',
    text: 'the update is on another synchronizer than the source of its unassignment or the target of its assignment',
  },
  DOUBLE_ACTIVATION: {
    level: 'W',
    text: 'a contract is activated where it is active already; the newer activation counts',
  },
  DOUBLE_CREATE: {
    level: 'W',
    text: 'a contract is created again on the synchronizer where it was archived',
  },
  CREATE_ELSEWHERE: { level: 'W', text: 'a contract is created on a second synchronizer' },
  DEACTIVATION_WITHOUT_ACTIVATION: {
    level: 'W',
    text: 'an archive or unassignment of a contract that is not active there (a notice when the base is filtered and the contract unknown)',
  },
  DOUBLE_ARCHIVE: { level: 'W', text: 'an archive of a contract archived there already' },
  ACTIVATION_AFTER_ARCHIVE: { level: 'W', text: 'an assignment on the synchronizer where it was archived' },
  COUNTER_NOT_INCREASING: {
    level: 'W',
    text: 'the reassignment counter of an activation is not above that of the one before on this synchronizer',
  },
  COUNTER_UNASSIGN: {
    level: 'W',
    text: 'the counter of an unassignment is not that of the activation plus one',
  },
  COUNTER_PAIR: { level: 'E', lenient: true, text: 'unassignment and assignment have different counters' },
  COUNTER_GAP: {
    level: 'N',
    text: 'the counter jumped: the contract moved where this participant could not see it',
  },
  ASSIGN_WITHOUT_UNASSIGN: { level: 'N', text: 'an assignment whose unassignment was never seen' },
  UNASSIGN_WITHOUT_ASSIGN: {
    level: 'W',
    text: 'in flight although the exclusivity time has passed on the target synchronizer',
  },
  REASSIGNMENT_PAIR: { level: 'E', text: 'one reassignment id with another source, target or contract set' },
  REASSIGNMENT_ID_HASH: {
    level: 'N',
    text: 'the reassignment id is not the hash of its batch (a partial view looks so)',
  },
  STAKEHOLDER_MISMATCH: {
    level: 'E',
    text: 'signatories or observers of an event are not those of its contract',
  },
  PAYLOAD_MISMATCH: { level: 'E', lenient: true, text: 'one contract id with two different contracts' },
  BATCH_NOT_UNIFORM: { level: 'W', text: 'the contracts of a reassignment have different stakeholders' },
  TEMPLATE_PACKAGE_DIFFERS: {
    level: 'N',
    text: 'an archive or unassignment names another package than the creation (an error when module or entity differ)',
  },
  WITNESS_OUTSIDE: {
    level: 'N',
    text: 'a witness of a created event is no stakeholder (normal in a LEDGER_EFFECTS stream; left out of exports)',
  },
  FILTER_ESCAPE: {
    level: 'W',
    text: 'no stakeholder is among the parties the base was filtered by; the event is left out',
  },
  MULTI_ACTIVE: {
    level: 'W',
    text: 'active on several synchronizers without an open reassignment between them',
  },
  BASE_DISAGREES: { level: 'W', text: 'replay and a second snapshot at the same offset differ' },
} as const satisfies Record<string, Rule>;

export type FindingCode = keyof typeof FINDINGS;

export interface Strictness {
  /** W counts as E. */
  strict?: boolean;
  /** E of the lenient kind counts as W. */
  lenient?: boolean;
}

/** The level that counts; `level` overrides the table's own. */
export function levelOf(code: FindingCode, how: Strictness, level?: FindingLevel): FindingLevel {
  const rule: Rule = FINDINGS[code];
  const own = level ?? rule.level;
  if (own === 'W' && how.strict === true) return 'E';
  if (own === 'E' && rule.lenient === true && how.lenient === true) return 'W';
  return own;
}

/** An E finding on its way: {@link AcsError} plus what to write down once the batch has been rolled back. */
export class FindingError extends AcsError {
  readonly finding: { code: FindingCode; offset: bigint; contractId: string | undefined; detail: string };

  constructor(code: FindingCode, offset: bigint, contractId: string | undefined, detail: string) {
    super(code, FINDINGS[code].text, {
      found: `offset ${offset}: ${detail}`,
      ...(contractId === undefined ? {} : { contractId }),
      hint: hintOf(code),
    });
    this.finding = { code, offset, contractId, detail };
  }
}

function hintOf(code: FindingCode): string {
  if (code === 'OFFSET_REPLAY_DIFFERS') {
    return 'after a restore from backup: acs store reset-to DB --source P --offset N (dry run first), then append again';
  }
  const rule: Rule = FINDINGS[code];
  if (rule.lenient === true) return 'acs store append --lenient records it as a finding and goes on';
  if (rule.level !== 'E') return 'without --strict it is recorded as a finding';
  return 'batches before this update are stored; nothing of this one';
}
