# kontext: completion for bash 3.2 and newer. Written by `make completions`; not to be edited.

# What the command $1 has; fails where there is none.
_kontext_command() {
    case "$*" in
        kontext)
            commands='generate edit status fetch cancel forget check info replay show gallery cost models doctor sandbox completion auth'
            options='--version -h,--help'
            ;;
        'kontext generate')
            commands=''
            options='-p,--provider -m,--model -a,--aspect-ratio --resolution -n,--num-images --seed -g,--guidance-scale --safety-tolerance --no-safety-checker --steps --output-format --enhance-prompt --sync-mode --keep-flagged --metadata --sidecar -o,--output -d,--output-dir --name --exists -f,--prompts-file... -j,--jobs --limit --only --shard --lock --fail-fast --max-failures --retry-failed --batch --on-unknown --force --max-cost --no-wait --timeout --dry-run --json -q,--quiet --debug --preview --open -h,--help'
            ;;
        'kontext edit')
            commands=''
            options='-i,--image... -p,--provider -m,--model -a,--aspect-ratio --resolution -n,--num-images --seed -g,--guidance-scale --safety-tolerance --no-safety-checker --steps --output-format --enhance-prompt --sync-mode --keep-flagged --metadata --sidecar -o,--output -d,--output-dir --name --exists -f,--prompts-file... --each -j,--jobs --limit --only --shard --lock --fail-fast --max-failures --retry-failed --batch --on-unknown --force --max-cost --no-wait --timeout --dry-run --json -q,--quiet --debug --preview --open -h,--help'
            ;;
        'kontext status')
            commands=''
            options='-p,--provider -m,--model --limit --state... --batch --watch --timeout --json -q,--quiet --debug -h,--help'
            ;;
        'kontext fetch')
            commands=''
            options='-p,--provider -m,--model -o,--output -d,--output-dir --name --keep-flagged --resubmit --timeout --json -q,--quiet --debug --preview --open -h,--help'
            ;;
        'kontext cancel')
            commands=''
            options='-p,--provider -m,--model --json -q,--quiet --debug -h,--help'
            ;;
        'kontext forget')
            commands=''
            options='--older-than --state... -h,--help'
            ;;
        'kontext check')
            commands=''
            options='--accept... --prune --merge --json -q,--quiet -h,--help'
            ;;
        'kontext info')
            commands=''
            options='--json -h,--help'
            ;;
        'kontext replay')
            commands=''
            options='--prompt -i,--image... -p,--provider -m,--model -a,--aspect-ratio --resolution -n,--num-images --seed -g,--guidance-scale --safety-tolerance --no-safety-checker --steps --output-format --enhance-prompt --sync-mode --keep-flagged --metadata --sidecar -o,--output -d,--output-dir --name --exists -j,--jobs --fail-fast --max-failures --retry-failed --on-unknown --force --max-cost --no-wait --timeout --dry-run --json -q,--quiet --debug --preview --open -h,--help'
            ;;
        'kontext show')
            commands=''
            options='--width --preview -h,--help'
            ;;
        'kontext gallery')
            commands=''
            options='-o,--output --batch --inline --columns --label --json -q,--quiet -h,--help'
            ;;
        'kontext cost')
            commands=''
            options='--since --by --json -q,--quiet -h,--help'
            ;;
        'kontext models')
            commands=''
            options='-p,--provider -m,--model --check --json --debug -h,--help'
            ;;
        'kontext doctor')
            commands=''
            options='--online --json --debug -h,--help'
            ;;
        'kontext sandbox')
            commands=''
            options='--host --port --latency --fault --plain -q,--quiet -h,--help'
            ;;
        'kontext completion')
            commands=''
            options=-h,--help
            ;;
        'kontext auth')
            commands='set status remove'
            options=-h,--help
            ;;
        'kontext auth set')
            commands=''
            options=-h,--help
            ;;
        'kontext auth status')
            commands=''
            options='--json -h,--help'
            ;;
        'kontext auth remove')
            commands=''
            options=-h,--help
            ;;
        *) return 1 ;;
    esac
}

# What may follow the option $2 of the command $1; fails where it takes no value.
_kontext_value() {
    case "$*" in
        'kontext generate -p' | 'kontext generate --provider') values='fal aimlapi chainhub bfl replicate together huggingface openai comfyui sandbox' kind='' ;;
        'kontext generate -m' | 'kontext generate --model') values='kontext-pro kontext-max kontext-dev flux-2-pro flux-2-max flux-2-flex flux-3 default' kind='' ;;
        'kontext generate -a' | 'kontext generate --aspect-ratio') values='21:9 16:9 4:3 3:2 1:1 2:3 3:4 9:16 9:21' kind='' ;;
        'kontext generate --resolution') values='768sq 1k 1.5k 2k 4k' kind='' ;;
        'kontext generate -n' | 'kontext generate --num-images') values='1 2 3 4' kind='' ;;
        'kontext generate --seed') values='' kind='' ;;
        'kontext generate -g' | 'kontext generate --guidance-scale') values='' kind='' ;;
        'kontext generate --safety-tolerance') values='0 1 2 3 4 5 6' kind='' ;;
        'kontext generate --steps') values='' kind='' ;;
        'kontext generate --output-format') values='jpeg png' kind='' ;;
        'kontext generate --metadata') values='off mark full' kind='' ;;
        'kontext generate -o' | 'kontext generate --output') values='' kind=default ;;
        'kontext generate -d' | 'kontext generate --output-dir') values='' kind=dirnames ;;
        'kontext generate --name') values='' kind='' ;;
        'kontext generate --exists') values='error skip number overwrite' kind='' ;;
        'kontext generate -f' | 'kontext generate --prompts-file') values='' kind=default ;;
        'kontext generate -j' | 'kontext generate --jobs') values='' kind='' ;;
        'kontext generate --limit') values='' kind='' ;;
        'kontext generate --only') values='' kind='' ;;
        'kontext generate --shard') values=auto kind='' ;;
        'kontext generate --max-failures') values='' kind='' ;;
        'kontext generate --batch') values='' kind='' ;;
        'kontext generate --on-unknown') values='hold resubmit' kind='' ;;
        'kontext generate --max-cost') values='' kind='' ;;
        'kontext generate --timeout') values='' kind='' ;;
        'kontext generate --preview') values='auto kitty iterm blocks off' kind='' ;;
        'kontext edit -i' | 'kontext edit --image') values='' kind=default ;;
        'kontext edit -p' | 'kontext edit --provider') values='fal aimlapi chainhub bfl replicate together huggingface openai comfyui sandbox' kind='' ;;
        'kontext edit -m' | 'kontext edit --model') values='kontext-pro kontext-max kontext-dev flux-2-pro flux-2-max flux-2-flex flux-3 default' kind='' ;;
        'kontext edit -a' | 'kontext edit --aspect-ratio') values='21:9 16:9 4:3 3:2 1:1 2:3 3:4 9:16 9:21' kind='' ;;
        'kontext edit --resolution') values='768sq 1k 1.5k 2k 4k' kind='' ;;
        'kontext edit -n' | 'kontext edit --num-images') values='1 2 3 4' kind='' ;;
        'kontext edit --seed') values='' kind='' ;;
        'kontext edit -g' | 'kontext edit --guidance-scale') values='' kind='' ;;
        'kontext edit --safety-tolerance') values='0 1 2 3 4 5 6' kind='' ;;
        'kontext edit --steps') values='' kind='' ;;
        'kontext edit --output-format') values='jpeg png' kind='' ;;
        'kontext edit --metadata') values='off mark full' kind='' ;;
        'kontext edit -o' | 'kontext edit --output') values='' kind=default ;;
        'kontext edit -d' | 'kontext edit --output-dir') values='' kind=dirnames ;;
        'kontext edit --name') values='' kind='' ;;
        'kontext edit --exists') values='error skip number overwrite' kind='' ;;
        'kontext edit -f' | 'kontext edit --prompts-file') values='' kind=default ;;
        'kontext edit -j' | 'kontext edit --jobs') values='' kind='' ;;
        'kontext edit --limit') values='' kind='' ;;
        'kontext edit --only') values='' kind='' ;;
        'kontext edit --shard') values=auto kind='' ;;
        'kontext edit --max-failures') values='' kind='' ;;
        'kontext edit --batch') values='' kind='' ;;
        'kontext edit --on-unknown') values='hold resubmit' kind='' ;;
        'kontext edit --max-cost') values='' kind='' ;;
        'kontext edit --timeout') values='' kind='' ;;
        'kontext edit --preview') values='auto kitty iterm blocks off' kind='' ;;
        'kontext status -p' | 'kontext status --provider') values='fal aimlapi chainhub bfl replicate together huggingface openai comfyui sandbox' kind='' ;;
        'kontext status -m' | 'kontext status --model') values='kontext-pro kontext-max kontext-dev flux-2-pro flux-2-max flux-2-flex flux-3 default' kind='' ;;
        'kontext status --limit') values='' kind='' ;;
        'kontext status --state') values='planned submitting queued running ready saved failed moderated canceled expired unknown' kind='' ;;
        'kontext status --batch') values='' kind='' ;;
        'kontext status --timeout') values='' kind='' ;;
        'kontext fetch -p' | 'kontext fetch --provider') values='fal aimlapi chainhub bfl replicate together huggingface openai comfyui sandbox' kind='' ;;
        'kontext fetch -m' | 'kontext fetch --model') values='kontext-pro kontext-max kontext-dev flux-2-pro flux-2-max flux-2-flex flux-3 default' kind='' ;;
        'kontext fetch -o' | 'kontext fetch --output') values='' kind=default ;;
        'kontext fetch -d' | 'kontext fetch --output-dir') values='' kind=dirnames ;;
        'kontext fetch --name') values='' kind='' ;;
        'kontext fetch --timeout') values='' kind='' ;;
        'kontext fetch --preview') values='auto kitty iterm blocks off' kind='' ;;
        'kontext cancel -p' | 'kontext cancel --provider') values='fal aimlapi chainhub bfl replicate together huggingface openai comfyui sandbox' kind='' ;;
        'kontext cancel -m' | 'kontext cancel --model') values='kontext-pro kontext-max kontext-dev flux-2-pro flux-2-max flux-2-flex flux-3 default' kind='' ;;
        'kontext forget --older-than') values='' kind='' ;;
        'kontext forget --state') values='planned submitting queued running ready saved failed moderated canceled expired unknown' kind='' ;;
        'kontext check --accept') values='' kind='' ;;
        'kontext replay --prompt') values='' kind='' ;;
        'kontext replay -i' | 'kontext replay --image') values='' kind=default ;;
        'kontext replay -p' | 'kontext replay --provider') values='fal aimlapi chainhub bfl replicate together huggingface openai comfyui sandbox' kind='' ;;
        'kontext replay -m' | 'kontext replay --model') values='kontext-pro kontext-max kontext-dev flux-2-pro flux-2-max flux-2-flex flux-3 default' kind='' ;;
        'kontext replay -a' | 'kontext replay --aspect-ratio') values='21:9 16:9 4:3 3:2 1:1 2:3 3:4 9:16 9:21' kind='' ;;
        'kontext replay --resolution') values='768sq 1k 1.5k 2k 4k' kind='' ;;
        'kontext replay -n' | 'kontext replay --num-images') values='1 2 3 4' kind='' ;;
        'kontext replay --seed') values='' kind='' ;;
        'kontext replay -g' | 'kontext replay --guidance-scale') values='' kind='' ;;
        'kontext replay --safety-tolerance') values='0 1 2 3 4 5 6' kind='' ;;
        'kontext replay --steps') values='' kind='' ;;
        'kontext replay --output-format') values='jpeg png' kind='' ;;
        'kontext replay --metadata') values='off mark full' kind='' ;;
        'kontext replay -o' | 'kontext replay --output') values='' kind=default ;;
        'kontext replay -d' | 'kontext replay --output-dir') values='' kind=dirnames ;;
        'kontext replay --name') values='' kind='' ;;
        'kontext replay --exists') values='error skip number overwrite' kind='' ;;
        'kontext replay -j' | 'kontext replay --jobs') values='' kind='' ;;
        'kontext replay --max-failures') values='' kind='' ;;
        'kontext replay --on-unknown') values='hold resubmit' kind='' ;;
        'kontext replay --max-cost') values='' kind='' ;;
        'kontext replay --timeout') values='' kind='' ;;
        'kontext replay --preview') values='auto kitty iterm blocks off' kind='' ;;
        'kontext show --width') values='' kind='' ;;
        'kontext show --preview') values='auto kitty iterm blocks' kind='' ;;
        'kontext gallery -o' | 'kontext gallery --output') values='' kind=default ;;
        'kontext gallery --batch') values='' kind='' ;;
        'kontext gallery --columns') values='' kind='' ;;
        'kontext gallery --label') values='prompt id seed model provider cost state file' kind='' ;;
        'kontext cost --since') values='' kind='' ;;
        'kontext cost --by') values='day provider model batch' kind='' ;;
        'kontext models -p' | 'kontext models --provider') values='fal aimlapi chainhub bfl replicate together huggingface openai comfyui sandbox' kind='' ;;
        'kontext models -m' | 'kontext models --model') values='kontext-pro kontext-max kontext-dev flux-2-pro flux-2-max flux-2-flex flux-3 default' kind='' ;;
        'kontext sandbox --host') values='' kind='' ;;
        'kontext sandbox --port') values='' kind='' ;;
        'kontext sandbox --latency') values='' kind='' ;;
        'kontext sandbox --fault') values='401 402 403 429 503 html-502 reset lost-reply slow failed crashed timed-out invalid refused flagged empty fewer png-for-jpeg forgotten stuck poll-503 poll-reset unknown-status result-503 media-503 media-404 media-redirect truncated-media cut-media wrong-media' kind='' ;;
        *) return 1 ;;
    esac
}

# What the argument number $2 of the command $1 may be; fails where anything may.
_kontext_argument() {
    case "$*" in
        'kontext check '*) values='' kind=default ;;
        'kontext info '*) values='' kind=default ;;
        'kontext replay '*) values='' kind=default ;;
        'kontext show '*) values='' kind=default ;;
        'kontext gallery '*) values='' kind=default ;;
        'kontext completion '1) values='bash zsh fish powershell' kind='' ;;
        'kontext auth set '1) values='fal aimlapi chainhub bfl replicate together huggingface openai comfyui sandbox' kind='' ;;
        'kontext auth remove '1) values='fal aimlapi chainhub bfl replicate together huggingface openai comfyui sandbox' kind='' ;;
        *) return 1 ;;
    esac
}

_kontext() {
    local IFS=$' \t\n' words cur kept='' command=kontext place=1 given=' ' pending='' plain=''
    local commands='' options='' values='' kind=''
    COMPREPLY=()
    _kontext_split
    cur=${words[${#words[@]} - 1]//[\"\'\\]/}
    # what readline takes for the word, $2, may be only its end
    if [[ $cur == *"$2" ]]; then kept=${cur%"$2"}; fi
    _kontext_read
    if [[ $pending ]]; then
        _kontext_value "$command" "$pending"
        _kontext_offer_values ''
    elif [[ ! $plain && $cur == --*=* ]]; then
        _kontext_value "$command" "${cur%%=*}" && _kontext_offer_values "${cur%%=*}="
    elif [[ ! $plain && $cur == -* ]]; then
        _kontext_offer_options "$cur"
    else
        if ((place == 1)); then _kontext_offer '' $commands; fi
        _kontext_argument "$command" "$place" && _kontext_offer_values ''
        if [[ ! $plain && ! $cur && ! $values && ! $kind && ! $commands ]]; then
            _kontext_offer_options --
        fi
    fi
}

# Sets `words`, up to the cursor: bash cuts them at `=` and `:`, too.
_kontext_split() {
    local line=${COMP_LINE:0:COMP_POINT} trimmed word last='' i
    words=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        trimmed=${line#"${line%%[![:space:]]*}"}
        if ((${#word} > ${#trimmed})); then word=$trimmed; fi
        if ((i > 0)) && [[ $trimmed == "$line" && ($word == [:=]* || $last == *[:=]) ]]; then
            words[${#words[@]} - 1]+=$word
        else
            words[${#words[@]}]=$word
        fi
        last=$word
        line=${trimmed#"$word"}
    done
}

# Reads the words before the last: which command, which options, at which argument.
_kontext_read() {
    local word i
    _kontext_command "$command"
    for ((i = 1; i < ${#words[@]} - 1; i++)); do
        word=${words[i]}
        if [[ $pending ]]; then
            pending=''
        elif [[ $plain || $word != -?* ]]; then
            if [[ $commands ]] && _kontext_command "$command $word"; then
                command="$command $word" given=' ' place=1
            else
                place=$((place + 1))
            fi
        elif [[ $word == -- ]]; then
            plain=yes
        elif [[ $word == --* ]]; then
            given="$given${word%%=*} "
            if [[ $word != *=* ]] && _kontext_value "$command" "$word"; then pending=$word; fi
        else
            _kontext_read_short "${word#-}"
        fi
    done
    values='' kind=''
}

# Reads the letters of -qn2 or -qn 2.
_kontext_read_short() {
    local letters=$1 flag
    while [[ $letters ]]; do
        flag=-${letters:0:1} letters=${letters:1}
        given="$given$flag "
        if _kontext_value "$command" "$flag"; then
            if [[ ! $letters ]]; then pending=$flag; fi
            return
        fi
    done
}

# Offers those of the words $2 and up that go on from what is typed; $1 stands before each.
_kontext_offer() {
    local before=$1 word
    shift
    for word; do
        word=$before$word
        if [[ $word == "$cur"* ]]; then COMPREPLY[${#COMPREPLY[@]}]=${word#"$kept"}; fi
    done
}

_kontext_offer_values() {
    _kontext_offer "$1" $values
    if [[ $kind ]]; then compopt -o "$kind" 2>/dev/null; fi
}

# Offers the options that begin with $1, but those given already.
_kontext_offer_options() {
    local option flag names
    for option in $options; do
        names=${option%...}
        names=${names//,/ }
        for flag in $names; do
            if [[ $option != *... && $given == *" $flag "* ]]; then continue 2; fi
        done
        for flag in $names; do
            if [[ $flag == "$1"* ]]; then _kontext_offer '' "$flag"; fi
        done
    done
}

# Before 4.2 compopt does not work while bash completes: files are offered whenever nothing else is.
if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 402)); then
    complete -F _kontext kontext
else
    complete -o default -F _kontext kontext
fi
