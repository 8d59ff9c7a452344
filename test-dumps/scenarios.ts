/** Ready scenarios by name. A new one is one function in a `scenario-*.ts` file and one word here. */

import {
  commitExhaustion, databaseServer, fileServer, idleWorkstation, pteExhaustion, terminalServer,
} from './machines/scenario-healthy.js'; // prettier-ignore
import {
  hiddenDriver, impossibleCounter, modernLeak, notmyfault, pagedLeak, sharedTag, verifierOn,
} from './machines/scenario-leaks.js'; // prettier-ignore
import { leak32 } from './machines/scenario-x86.js';
import type { Scenario } from './scenario.js';

/** Each call gives a fresh scenario that the caller may change. */
export const SCENARIOS = {
  notmyfault, modernLeak, pagedLeak, hiddenDriver, sharedTag, verifierOn, impossibleCounter, leak32,
  idleWorkstation, fileServer, terminalServer, databaseServer, pteExhaustion, commitExhaustion,
} as const satisfies Record<string, () => Scenario>; // prettier-ignore

export type ScenarioName = keyof typeof SCENARIOS;
