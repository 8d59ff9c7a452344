/** What a batch says beside its dumps: each once, however often it is come by. */

import type { BatchEvents } from './events.js';

export class Notes {
  private readonly told = new Set<string>();

  constructor(private readonly events: Pick<BatchEvents, 'note'>) {}

  /** In the order in which they came. */
  get all(): readonly string[] {
    return [...this.told];
  }

  tell(...messages: readonly string[]): void {
    for (const message of messages) {
      if (this.told.has(message)) continue;
      this.told.add(message);
      this.events.note(message);
    }
  }
}
