/** A script for the server: poolmon snapshots at even intervals, each with its time in the file's name. */

const LINES = [
  '@echo off',
  'rem Takes poolmon snapshots until stopped with Ctrl+C: one file each, named by machine and time in UTC.',
  'rem Usage: collect-poolmon.cmd [minutes between snapshots, default 15] [folder]',
  'rem poolmon.exe (Windows Driver Kit) stands beside this script or in the PATH. Run it as administrator, for two',
  'rem full days at least: only then can daily load be told from a leak. Then: dumpleak trend FOLDER',
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
  'if not defined POOLMON (',
  '  echo poolmon.exe is neither beside this script nor in the PATH. It comes with the Windows Driver Kit: Tools\\x64.',
  '  exit /b 2',
  ')',
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
];

/** The text of the .cmd file, in ASCII with CRLF, as cmd.exe needs it for labels. */
export function collectScript(): string {
  return `${LINES.join('\r\n')}\r\n`;
}
