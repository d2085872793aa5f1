/** What the numbers in the drafts of one drafter stand for in the store; learnt from the first event of each. */
import type { LayoutRow } from './intern.js';

export interface DraftNames {
  groups: ({ set: number; layout: LayoutRow; outside: boolean } | 'refused' | undefined)[];
  templates: (number | undefined)[];
  packages: (number | undefined)[];
  /** Left to who stores frames. */
  synchronizers: (number | undefined)[];
  /** Left to who stores updates. */
  synchronizerIds: (string | undefined)[];
  archivedTemplates: (number | undefined)[];
}

export function draftNames(): DraftNames {
  return {
    groups: [],
    templates: [],
    packages: [],
    synchronizers: [],
    synchronizerIds: [],
    archivedTemplates: [],
  };
}
