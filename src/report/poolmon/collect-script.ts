/** A script for the server: poolmon snapshots at even intervals, each with its time in the file's name. */

/** Of Windows itself; `trend` judges them, and reads the limits of the machine from some. */
const COUNTERS = [
  '\\Memory\\Pool Nonpaged Bytes',
  '\\Memory\\Pool Paged Bytes',
  '\\Memory\\Committed Bytes',
  '\\Memory\\Commit Limit',
  '\\Memory\\Available Bytes',
  '\\Process(*)\\Handle Count',
  '\\Process(*)\\Private Bytes',
  '\\Process(*)\\Pool Nonpaged Bytes',
  '\\Process(*)\\Pool Paged Bytes',
];

const LINES = [
  '@echo off',
  'rem Takes poolmon snapshots until stopped with Ctrl+C: one file each, named by machine and time in UTC.',
  'rem Usage: collect-poolmon.cmd [minutes between snapshots, default 15] [folder]',
  'rem With poolmon.exe (Windows Driver Kit) beside this script or in the PATH it takes every pool tag. Without it',
  'rem Windows own counters are taken: they tell which pool or process grows, but not under which tag.',
  'rem Run it as administrator, for two full days at least: only then can daily load be told from a leak.',
  'rem Then: dumpleak trend FOLDER',
  'setlocal EnableExtensions DisableDelayedExpansion',
  'set "MINUTES=%~1"',
  'if not defined MINUTES set "MINUTES=15"',
  'set /a SECONDS=MINUTES*60 2>nul',
  'if %SECONDS% LSS 60 (',
  '  echo Give whole minutes between snapshots, 1 or more.',
  '  exit /b 64',
  ')',
  'set "FOLDER=%~2"',
  'if not defined FOLDER set "FOLDER=%~dp0poolmon-%COMPUTERNAME%"',
  'if not exist "%FOLDER%" mkdir "%FOLDER%"',
  'if not exist "%FOLDER%" (',
  '  echo The folder "%FOLDER%" cannot be made.',
  '  exit /b 2',
  ')',
  'set "POOLMON=%~dp0poolmon.exe"',
  'if not exist "%POOLMON%" set "POOLMON="',
  'if not defined POOLMON for %%P in (poolmon.exe) do set "POOLMON=%%~$PATH:P"',
  'if not defined POOLMON goto counters',
  'echo A snapshot every %MINUTES% minutes to "%FOLDER%". Ctrl+C ends it.',
  ':next',
  'set "STAMP="',
  'for /f "usebackq delims=" %%T in (`powershell -NoProfile -Command "[DateTime]::UtcNow.ToString(\'yyyyMMddTHHmmssZ\')"`) do set "STAMP=%%T"',
  'if not defined STAMP (',
  '  echo PowerShell does not tell the time.',
  '  exit /b 2',
  ')',
  '"%POOLMON%" -n "%FOLDER%\\poolmon-%COMPUTERNAME%-%STAMP%.log" >nul',
  'if not exist "%FOLDER%\\poolmon-%COMPUTERNAME%-%STAMP%.log" echo %STAMP% poolmon wrote nothing: is this console elevated?',
  'powershell -NoProfile -Command "Start-Sleep -Seconds %SECONDS%"',
  'goto next',
  ':counters',
  'echo There is no poolmon.exe (Windows Driver Kit, Tools\\x64), so Windows own counters are taken.',
  'echo They tell which pool or process grows, but not under which tag. Ctrl+C ends it.',
  `typeperf ${COUNTERS.map((name) => `"${name}"`).join(' ')} -si %SECONDS% -f CSV -o "%FOLDER%\\counters-%COMPUTERNAME%.csv" -y`,
  'if not errorlevel 1 exit /b 0',
  'echo typeperf could not take them. Counters have the names of the language of Windows: on other than English',
  'echo systems use poolmon.exe, or Performance Monitor with the counters of Memory and Process.',
  'exit /b 2',
];

/** The text of the .cmd file, in ASCII with CRLF, as cmd.exe needs it for labels. */
export function collectScript(): string {
  return `${LINES.join('\r\n')}\r\n`;
}
