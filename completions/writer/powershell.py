"""The PowerShell script: the tree as a table, and one block that reads a command line by it."""

from collections.abc import Iterable, Iterator

from completions.writer.tree import Argument, Command, Option, summary

_HEAD = """\
# kontext: completion for PowerShell 5.1 and newer. Written by `make completions`; not to be edited.

Register-ArgumentCompleter -Native -CommandName kontext -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $tree = @{
"""

_BODY = r"""    }

    $path = 'kontext'
    $place = 0
    $given = @()
    $pending = $null
    $plain = $false

    function Find-Option($flag) {
        $tree[$path].Options | Where-Object { $_.Flags -ccontains $flag } | Select-Object -First 1
    }

    # Offers a text that goes on from what is typed.
    function Add-Text($text, $help, $type) {
        if ($text.StartsWith($wordToComplete, [StringComparison]::Ordinal)) {
            [System.Management.Automation.CompletionResult]::new($text, $text, $type, $help)
        }
    }

    # Offers paths that go on from what is typed after $before.
    function Add-Path($kind, $before) {
        $typed = $wordToComplete.Substring($before.Length)
        $paths = [System.Management.Automation.CompletionCompleters]::CompleteFilename($typed)
        foreach ($path in $paths) {
            $type = $path.ResultType
            if ($kind -eq 'folder' -and $type -ne 'ProviderContainer') { continue }
            [System.Management.Automation.CompletionResult]::new(
                $before + $path.CompletionText, $path.ListItemText, $type, $path.ToolTip)
        }
    }

    # Offers what an option or an argument may be; $before stands before each.
    function Add-Value($wanted, $before) {
        foreach ($value in $wanted.Values) {
            Add-Text "$before$value" $wanted.Help 'ParameterValue'
        }
        if ($wanted.Kind -ne 'value') { Add-Path $wanted.Kind $before }
    }

    # Reads the words before the cursor: which command, which options, at which argument.
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        ForEach-Object { $_.Extent.Text })
    foreach ($word in $words) {
        if ($pending) {
            $pending = $null
        } elseif ($plain -or $word -notmatch '^-.') {
            if ($place -eq 0 -and $tree.ContainsKey("$path $word")) {
                $path = "$path $word"
                $given = @()
            } else {
                $place++
            }
        } elseif ($word -eq '--') {
            $plain = $true
        } elseif ($word -like '--*') {
            $flag = ($word -split '=', 2)[0]
            $given += $flag
            $option = Find-Option $flag
            if ($option -and $option.Kind -and $word -notlike '*=*') { $pending = $option }
        } else {
            for ($at = 1; $at -lt $word.Length; $at++) {
                $flag = '-' + $word[$at]
                $given += $flag
                $option = Find-Option $flag
                if ($option -and $option.Kind) {
                    if ($at -eq $word.Length - 1) { $pending = $option }
                    break
                }
            }
        }
    }

    $here = $tree[$path]
    if ($pending) {
        Add-Value $pending ''
    } elseif (-not $plain -and $wordToComplete -match '^--[^=]+=') {
        $before = $Matches[0]
        $option = Find-Option $before.TrimEnd('=')
        if ($option -and $option.Kind) { Add-Value $option $before }
    } elseif (-not $plain -and $wordToComplete -like '-*') {
        foreach ($option in $here.Options) {
            $again = @($option.Flags | Where-Object { $given -ccontains $_ })
            if ($again.Count -gt 0 -and -not $option.Repeatable) { continue }
            foreach ($flag in $option.Flags) { Add-Text $flag $option.Help 'ParameterName' }
        }
    } else {
        if ($place -eq 0) {
            foreach ($command in $here.Commands) { Add-Text $command.Name $command.Help 'Command' }
        }
        $last = $here.Arguments.Count - 1
        if ($last -ge 0 -and $here.Arguments[$last].Repeatable) {
            $place = [Math]::Min($place, $last)
        }
        if ($place -le $last) { Add-Value $here.Arguments[$place] '' }
    }
}
"""


def script(root: Command) -> str:
    """The completion script for PowerShell."""
    return _HEAD + "".join(map(_command, root.walk())) + _BODY


def _command(command: Command) -> str:
    rows = [
        f"        {_quoted(' '.join(command.path))} = @{{",
        *_rows("Commands", map(_subcommand, command.subcommands)),
        *_rows("Options", map(_option, command.options)),
        *_rows("Arguments", map(_argument, command.arguments)),
        "        }",
        "",
    ]
    return "\n".join(rows)


def _rows(name: str, rows: Iterable[str]) -> Iterator[str]:
    yield f"            {name} = @("
    yield from (f"                {row}" for row in rows)
    yield "            )"


def _subcommand(command: Command) -> str:
    return f"@{{ Name = {_quoted(command.name)}; Help = {_help(command)} }}"


def _option(option: Option) -> str:
    kind = (option.completes or "value") if option.takes_value else ""
    return f"@{{ Flags = {_array(option.flags)}; {_value(option, kind)} }}"


def _argument(argument: Argument) -> str:
    return f"@{{ {_value(argument, argument.completes or 'value')} }}"


def _value(wanted: Option | Argument, kind: str) -> str:
    return (
        f"Kind = {_quoted(kind)}; Values = {_array(wanted.choices)}; "
        f"Repeatable = ${str(wanted.repeatable).lower()}; Help = {_help(wanted)}"
    )


def _help(of: Command | Option | Argument) -> str:
    """PowerShell refuses an empty one."""
    return _quoted(summary(of.help) or "-")


def _array(words: Iterable[str]) -> str:
    return f"@({', '.join(map(_quoted, words))})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
