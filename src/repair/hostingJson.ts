/** A hosting map in its JSON shape, in one canonical form: sorted, defaults left out. */
import type { HostingMap } from '../commitment/hostingMap.js';

export function hostingJson(hosting: HostingMap): Record<string, unknown> {
  const participants: Record<string, unknown> = {};
  for (const { name, uid } of hosting.participants) {
    const hosts: unknown[] = [];
    for (const party of [...hosting.parties.keys()].sort()) {
      const host = hosting.parties.get(party)!.find((h) => h.participant === uid);
      // The participant's own admin party is always hosted there and need not be said.
      if (host === undefined || party === uid) continue;
      if (host.permission === 'Submission' && !host.onboarding) hosts.push(party);
      else
        hosts.push({
          party,
          ...(host.permission === 'Submission' ? {} : { permission: host.permission }),
          ...(host.onboarding ? { onboarding: true } : {}),
        });
    }
    participants[name] = { participant_uid: uid, hosts };
  }
  return {
    ...(hosting.synchronizerId === undefined ? {} : { synchronizer_id: hosting.synchronizerId }),
    ...(hosting.physicalSynchronizerId === undefined
      ? {}
      : { physical_synchronizer_id: hosting.physicalSynchronizerId }),
    participants,
  };
}
