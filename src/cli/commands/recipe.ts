/** `dumpleak recipe`: how to get the stacks of allocations under a tag, without a dump. */

import { tagRecipe } from '../../leak/recipe/tag-recipe.js';
import { wprProfile } from '../../leak/recipe/wpr-profile.js';
import { renderRecipe } from '../../report/text/recipe.js';
import { typedTag } from '../../result/tag.js';
import { renderPart } from '../../views/print/part-json.js';
import { noTag } from '../../views/words.js';
import { defineCommand } from '../command.js';
import { UsageError } from '../errors.js';
import { EXIT } from '../exit-codes.js';
import { GROUP, jsonOption, POOLTAG } from '../options/options.js';
import { readTagLists } from '../options/tag-lists.js';

/** Builds have at most so many digits. */
const LARGEST_BUILD = 999_999;

export const command = defineCommand({
  positionals: {
    tag: { describe: 'Up to four characters, or 0x and its number', kind: 'required' },
  },
  options: {
    build: {
      type: 'number',
      requiresArg: true,
      describe: 'Build of Windows, as 7601 or 19041; without it for all',
      group: GROUP.what,
    },
    driver: {
      type: 'array',
      string: true,
      requiresArg: true,
      describe: 'A driver that may allocate under it; may be given several times',
      group: GROUP.what,
    },
    pooltag: POOLTAG,
    'wpr-profile': {
      type: 'boolean',
      describe: 'Write a profile for Windows Performance Recorder that records this tag alone',
      group: GROUP.output,
    },
    json: jsonOption('Write it as JSON'),
  },
  examples: [
    ['recipe Leak --build 19041 --driver myfault.sys', 'what to record, and what it costs'],
    ['recipe Leak --wpr-profile -o pool-Leak.wprp', 'then: wpr -start pool-Leak.wprp -filemode'],
  ],
  run: async ({ tag, build, driver, pooltag, json, ...args }, output, host) => {
    const key = typedTag(tag);
    if (key === null) throw new UsageError(noTag(tag));
    if (build !== undefined && !(Number.isSafeInteger(build) && build >= 1 && build <= LARGEST_BUILD))
      throw new UsageError('--build wants the number of a build, as 19041');
    if (args['wpr-profile'] === true) {
      if (json === true) throw new UsageError('--wpr-profile is no JSON: give one of the two');
      const profile = wprProfile(key);
      if (profile === null)
        throw new UsageError(`${tag} cannot stand in a profile: record all tags ("wpr -start Pool")`);
      await output.text(profile);
      return EXIT.done;
    }
    const { descriptions } = readTagLists(pooltag, host.env);
    const recipe = tagRecipe(key, descriptions, { build: build ?? null, drivers: driver ?? [] });
    if (json === true) await output.json(renderPart(recipe));
    else await output.text(renderRecipe(recipe, output.style));
    return EXIT.done;
  },
});
