/** What a section about a tag is called. */

import { isSuspicious } from '../leak/suspects.js';
import type { Suspect } from '../result/result.js';

/** `Suspect`, or `Suspect 2` of several; `Asked for` where the tag is shown only because somebody asked for it. */
export function suspectTitle(suspects: readonly Suspect[], suspect: Suspect): string {
  if (!isSuspicious(suspect)) return 'Asked for';
  const suspicious = suspects.filter(isSuspicious);
  return suspicious.length === 1 ? 'Suspect' : `Suspect ${suspicious.indexOf(suspect) + 1}`;
}
