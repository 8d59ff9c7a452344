/**
 * `dumpleak completion`: a script that completes command lines in a shell. The script holds the words themselves, made of the
 * definitions of the commands, so that Tab starts no program. Where it knows none, the shell completes files.
 */

import type { Options } from 'yargs';
import { defineCommand, type AnyCommand, type CommandEntry } from '../command.js';
import { UsageError } from '../errors.js';
import { EXIT } from '../exit-codes.js';
import { optionsOf } from '../options/options.js';

/**
 * Words by what stands before: after `history` its commands, after `history list --` the options of `history list`, after
 * `vm --order` the values of that option. Names and values here are of letters, digits and hyphens: no shell reads more into them.
 */
type WordTable = ReadonlyMap<string, readonly string[]>;

/** How a script spells the table, and what it does with it; `fallback` is the command of a line without one. */
const SHELLS: Readonly<Record<string, (table: WordTable, fallback: string) => string>> = {
  bash: (table, fallback) => `${posix(table, fallback)}
_dumpleak() {
  local IFS=$' \\t\\n' found word="$2"
  local -a before=("\${COMP_WORDS[@]:1:COMP_CWORD-1}")
  if [ "\${COMP_WORDS[COMP_CWORD]}" = = ]; then word=; else [ "$3" != = ] || unset 'before[COMP_CWORD-2]'; fi
  _dumpleak_find "$word" "\${before[@]}"
  COMPREPLY=($(compgen -W "$found" -- "$word"))
}
complete -o bashdefault -o default -F _dumpleak dumpleak
`,
  zsh: (table, fallback) => `#compdef dumpleak
${posix(table, fallback)}
_dumpleak() {
  local found
  _dumpleak_find "$PREFIX" "\${(@)words[2,CURRENT-1]}"
  compadd -- \${=found} || _files
}
if [ "\${funcstack[1]}" = _dumpleak ]; then _dumpleak; else compdef _dumpleak dumpleak; fi
`,
  fish: (table, fallback) => `function __dumpleak_words
  switch "$argv"
${lines(table, (key, words) => `    case '${key}'; string split -- ' ' '${words}'`)}
  end
end
function __dumpleak_complete
  set -l before (commandline -opc)
  set -l token (commandline -ct)
  set -l cmd
  for word in $before[2..]
    string match -q -- '-*' $word; or test -z "$(__dumpleak_words $cmd $word --)"; or set -a cmd $word
  end
  set -l found (__dumpleak_words $cmd)
  set -q cmd[1]; or set cmd ${fallback}
  if string match -q -- '-*' $token
    set found (__dumpleak_words $cmd --)
  else if string match -q -- '-*' $before[-1]
    set found (__dumpleak_words $cmd $before[-1])
  end
  set found (string match -- "$token*" $found)
  if set -q found[1]; string join -- \\n $found; else; __fish_complete_path $token; end
end
complete -c dumpleak -f -a '(__dumpleak_complete)'
`,
  powershell: (
    table,
    fallback,
  ) => `Register-ArgumentCompleter -Native -CommandName dumpleak, dumpleak.cmd, dumpleak.exe -ScriptBlock {
  param($word, $line, $cursor)
  $table = @{
${lines(table, (key, words) => `    '${key}' = '${words}'`)}
  }
  $cmd = ''; $last = ''
  foreach ($element in $line.CommandElements | Select-Object -Skip 1) {
    if ($element.Extent.EndOffset -ge $cursor) { break }
    $last = "$element"
    if (-not $last.StartsWith('-') -and $table.ContainsKey("$cmd $last --".Trim())) { $cmd = "$cmd $last".Trim() }
  }
  $key = $cmd
  if ($cmd -eq '') { $cmd = '${fallback}' }
  if ($word.StartsWith('-')) { $key = "$cmd --" } elseif ($last.StartsWith('-')) { $key = "$cmd $last" }
  "$($table[$key])" -split ' ' | Where-Object { $_ -ne '' -and $_.StartsWith($word) } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
  }
}
`,
};

/** What bash and zsh have in common: `_dumpleak_find CURRENT BEFORE...` leaves the words that may come in `found`. */
const posix = (table: WordTable, fallback: string): string => `_dumpleak_words() {
  case "$1" in
${lines(table, (key, words) => `    '${key}') found='${words}' ;;`)}
    *) found= ;;
  esac
}
_dumpleak_find() {
  local current="$1" cmd= last= word
  shift
  for word in "$@"; do
    last="$word"
    case "$word" in -*) continue ;; esac
    _dumpleak_words "\${cmd:+$cmd }$word --"
    [ -z "$found" ] || cmd="\${cmd:+$cmd }$word"
  done
  case "$current" in -*) _dumpleak_words "\${cmd:-${fallback}} --"; return ;; esac
  case "$last" in
    -*) _dumpleak_words "\${cmd:-${fallback}} $last" ;;
    *) _dumpleak_words "$cmd" ;;
  esac
}`;

const lines = (table: WordTable, line: (key: string, words: string) => string): string =>
  [...table].map(([key, words]) => line(key, words.join(' '))).join('\n');

/** The table of these commands, which are loaded for it. */
async function wordTable(commands: readonly CommandEntry[]): Promise<WordTable> {
  const table = new Map<string, string[]>();
  const add = (key: string, ...words: readonly string[]): void => {
    table.set(key, [...new Set([...(table.get(key) ?? []), ...words])]);
  };
  for (const entry of commands) {
    const { name } = entry;
    const words = name.split(' ');
    words.forEach((word, i) => {
      add(words.slice(0, i).join(' '), word);
      add(`${words.slice(0, i + 1).join(' ')} --`, '--help', '--version');
    });
    for (const [option, about] of Object.entries<Options>(optionsOf((await entry.load()).command))) {
      if (about.hidden === true) continue;
      const spelt = [`--${option}`, ...(typeof about.alias === 'string' ? [`-${about.alias}`] : [])];
      add(`${name} --`, ...spelt, ...(about.describe?.match(/--no-[\w-]+/g) ?? []));
      if (about.choices !== undefined) for (const one of spelt) add(`${name} ${one}`, ...about.choices.map(String));
    }
  }
  add('help', ...(table.get('') ?? []));
  add('help --', '--help');
  add('', 'help');
  add('completion', ...Object.keys(SHELLS));
  return table;
}

/** The command, which completes `commands` and a line with none of them as the one named `fallback`. */
export function completion(commands: readonly CommandEntry[], fallback: string): AnyCommand {
  return defineCommand({
    positionals: { shell: { describe: `The shell: ${Object.keys(SHELLS).join(', ')}`, kind: 'required' } },
    options: {},
    examples: [
      ['completion bash -o ~/.dumpleak.bash', 'then, in ~/.bashrc: source ~/.dumpleak.bash'],
      ['completion zsh -o ~/.dumpleak.zsh', 'then, in ~/.zshrc, after compinit: source ~/.dumpleak.zsh'],
      ['completion fish -o ~/.config/fish/completions/dumpleak.fish', 'fish finds it there'],
      [
        'completion powershell -o dumpleak-completion.ps1',
        'then, in the file $PROFILE: . PATH\\dumpleak-completion.ps1',
      ],
    ],
    run: async ({ shell }, output) => {
      const script = Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined;
      if (script === undefined) throw new UsageError(`${shell}: it is made for ${Object.keys(SHELLS).join(', ')}`);
      await output.text(script(await wordTable(commands), fallback));
      return EXIT.done;
    },
  });
}
