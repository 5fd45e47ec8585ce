# kontext: completion for fish. Written by `make completions`; not to be edited.

# Reads the words before the cursor, once for each change: which command, which options.
function __kontext_read
    set -l words (commandline -opc)
    test "$words" = "$__kontext_words"; and return
    set -g __kontext_words $words
    set -g __kontext_command kontext
    set -g __kontext_given
    set -g __kontext_place 1
    set -l pending
    set -l plain
    set -e words[1]
    for word in $words
        if test -n "$pending"
            set -a __kontext_given $pending
            set pending
        else if test -n "$plain"; or not string match -qr '^-.' -- $word
            if __kontext_is_command "$__kontext_command $word"
                set __kontext_command "$__kontext_command $word"
                set __kontext_given
                set __kontext_place 1
            else
                set __kontext_place (math $__kontext_place + 1)
            end
        else if test "$word" = --
            set plain yes
        else if string match -qr '^--' -- $word
            set -l parts (string split -m 1 = -- $word)
            if test (count $parts) -eq 1; and __kontext_takes_value "$__kontext_command $word"
                set pending $word
            else
                set -a __kontext_given $parts[1]
            end
        else
            set pending (__kontext_read_short $word)
        end
    end
end

# Reads the letters of -qn2 or -qn 2; prints the one whose value is the next word.
function __kontext_read_short
    set -l letters (string split '' -- (string sub -s 2 -- $argv))
    while set -q letters[1]
        set -l flag -$letters[1]
        set -e letters[1]
        if __kontext_takes_value "$__kontext_command $flag"; and not set -q letters[1]
            printf '%s
' $flag
            return
        end
        set -a __kontext_given $flag
        __kontext_takes_value "$__kontext_command $flag"; and return
    end
end

# The line is in the command $argv[1].
function __kontext_in
    __kontext_read
    test "$__kontext_command" = $argv[1]
end

# The line is in the command $argv[1], at its argument number $argv[2].
function __kontext_at
    __kontext_in $argv[1]; and test $__kontext_place -eq $argv[2]
end

# The line is in the command $argv[1], at its argument number $argv[2] or behind it.
function __kontext_from
    __kontext_in $argv[1]; and test $__kontext_place -ge $argv[2]
end

# The line is in the command $argv[1] and has none of the options after it.
function __kontext_lacks
    __kontext_in $argv[1]; or return
    for flag in $argv[2..-1]
        contains -- $flag $__kontext_given; and return 1
    end
    return 0
end

# The words are a command.
function __kontext_is_command
    contains -- "$argv" \
        'kontext' \
        'kontext generate' \
        'kontext edit' \
        'kontext status' \
        'kontext fetch' \
        'kontext cancel' \
        'kontext forget' \
        'kontext check' \
        'kontext info' \
        'kontext replay' \
        'kontext show' \
        'kontext gallery' \
        'kontext cost' \
        'kontext models' \
        'kontext doctor' \
        'kontext sandbox' \
        'kontext completion' \
        'kontext journal' \
        'kontext journal copy' \
        'kontext auth' \
        'kontext auth set' \
        'kontext auth status' \
        'kontext auth remove'
end

# The words are a command and its option.
function __kontext_takes_value
    contains -- "$argv" \
        'kontext generate -p' \
        'kontext generate --provider' \
        'kontext generate -m' \
        'kontext generate --model' \
        'kontext generate -a' \
        'kontext generate --aspect-ratio' \
        'kontext generate --resolution' \
        'kontext generate -n' \
        'kontext generate --num-images' \
        'kontext generate --seed' \
        'kontext generate -g' \
        'kontext generate --guidance-scale' \
        'kontext generate --safety-tolerance' \
        'kontext generate --steps' \
        'kontext generate --output-format' \
        'kontext generate --metadata' \
        'kontext generate -o' \
        'kontext generate --output' \
        'kontext generate -d' \
        'kontext generate --output-dir' \
        'kontext generate --name' \
        'kontext generate --exists' \
        'kontext generate -f' \
        'kontext generate --prompts-file' \
        'kontext generate -j' \
        'kontext generate --jobs' \
        'kontext generate --limit' \
        'kontext generate --only' \
        'kontext generate --shard' \
        'kontext generate --max-failures' \
        'kontext generate --batch' \
        'kontext generate --on-unknown' \
        'kontext generate --max-cost' \
        'kontext generate --timeout' \
        'kontext generate --preview' \
        'kontext edit -i' \
        'kontext edit --image' \
        'kontext edit -p' \
        'kontext edit --provider' \
        'kontext edit -m' \
        'kontext edit --model' \
        'kontext edit -a' \
        'kontext edit --aspect-ratio' \
        'kontext edit --resolution' \
        'kontext edit -n' \
        'kontext edit --num-images' \
        'kontext edit --seed' \
        'kontext edit -g' \
        'kontext edit --guidance-scale' \
        'kontext edit --safety-tolerance' \
        'kontext edit --steps' \
        'kontext edit --output-format' \
        'kontext edit --metadata' \
        'kontext edit -o' \
        'kontext edit --output' \
        'kontext edit -d' \
        'kontext edit --output-dir' \
        'kontext edit --name' \
        'kontext edit --exists' \
        'kontext edit -f' \
        'kontext edit --prompts-file' \
        'kontext edit -j' \
        'kontext edit --jobs' \
        'kontext edit --limit' \
        'kontext edit --only' \
        'kontext edit --shard' \
        'kontext edit --max-failures' \
        'kontext edit --batch' \
        'kontext edit --on-unknown' \
        'kontext edit --max-cost' \
        'kontext edit --timeout' \
        'kontext edit --preview' \
        'kontext status -p' \
        'kontext status --provider' \
        'kontext status -m' \
        'kontext status --model' \
        'kontext status --limit' \
        'kontext status --state' \
        'kontext status --batch' \
        'kontext status --timeout' \
        'kontext fetch -p' \
        'kontext fetch --provider' \
        'kontext fetch -m' \
        'kontext fetch --model' \
        'kontext fetch -o' \
        'kontext fetch --output' \
        'kontext fetch -d' \
        'kontext fetch --output-dir' \
        'kontext fetch --name' \
        'kontext fetch --timeout' \
        'kontext fetch --preview' \
        'kontext cancel -p' \
        'kontext cancel --provider' \
        'kontext cancel -m' \
        'kontext cancel --model' \
        'kontext forget --older-than' \
        'kontext forget --state' \
        'kontext check --accept' \
        'kontext replay --prompt' \
        'kontext replay -i' \
        'kontext replay --image' \
        'kontext replay -p' \
        'kontext replay --provider' \
        'kontext replay -m' \
        'kontext replay --model' \
        'kontext replay -a' \
        'kontext replay --aspect-ratio' \
        'kontext replay --resolution' \
        'kontext replay -n' \
        'kontext replay --num-images' \
        'kontext replay --seed' \
        'kontext replay -g' \
        'kontext replay --guidance-scale' \
        'kontext replay --safety-tolerance' \
        'kontext replay --steps' \
        'kontext replay --output-format' \
        'kontext replay --metadata' \
        'kontext replay -o' \
        'kontext replay --output' \
        'kontext replay -d' \
        'kontext replay --output-dir' \
        'kontext replay --name' \
        'kontext replay --exists' \
        'kontext replay -j' \
        'kontext replay --jobs' \
        'kontext replay --max-failures' \
        'kontext replay --on-unknown' \
        'kontext replay --max-cost' \
        'kontext replay --timeout' \
        'kontext replay --preview' \
        'kontext show --width' \
        'kontext show --preview' \
        'kontext gallery -o' \
        'kontext gallery --output' \
        'kontext gallery --batch' \
        'kontext gallery --columns' \
        'kontext gallery --label' \
        'kontext cost --since' \
        'kontext cost --by' \
        'kontext models -p' \
        'kontext models --provider' \
        'kontext models -m' \
        'kontext models --model' \
        'kontext sandbox --host' \
        'kontext sandbox --port' \
        'kontext sandbox --latency' \
        'kontext sandbox --fault'
end

set -e __kontext_words
# fish loads a file for kontext at the first TAB, which may be one that it generated from the
# man page: have it loaded now, and forget it.
complete -C 'kontext ' >/dev/null
complete -c kontext -e
complete -c kontext -f

complete -c kontext -n '__kontext_at "kontext" 1' -a generate -d 'Make an image from a prompt'
complete -c kontext -n '__kontext_at "kontext" 1' -a edit -d 'Edit one or several images with a text instruction'
complete -c kontext -n '__kontext_at "kontext" 1' -a status -d 'List recent jobs, or poll the provider for the given ones'
complete -c kontext -n '__kontext_at "kontext" 1' -a fetch -d 'Wait for jobs and save their images'
complete -c kontext -n '__kontext_at "kontext" 1' -a cancel -d 'Ask the provider to cancel jobs'
complete -c kontext -n '__kontext_at "kontext" 1' -a forget -d 'Delete jobs and their prompts from the journal'
complete -c kontext -n '__kontext_at "kontext" 1' -a check -d 'Compare prompts files and images with their lock'
complete -c kontext -n '__kontext_at "kontext" 1' -a info -d 'Show how images were made, and where that is said'
complete -c kontext -n '__kontext_at "kontext" 1' -a replay -d 'Make images again, by the requests that made them'
complete -c kontext -n '__kontext_at "kontext" 1' -a show -d 'Show images in the terminal'
complete -c kontext -n '__kontext_at "kontext" 1' -a gallery -d 'Make a page or a contact sheet of images'
complete -c kontext -n '__kontext_at "kontext" 1' -a cost -d 'Show what was spent, by day, provider, model and batch'
complete -c kontext -n '__kontext_at "kontext" 1' -a models -d 'List providers, models, options and prices'
complete -c kontext -n '__kontext_at "kontext" 1' -a doctor -d 'Show each setting with its origin, and check keys, network, folders and programs'
complete -c kontext -n '__kontext_at "kontext" 1' -a sandbox -d 'Serve emulated providers on this machine'
complete -c kontext -n '__kontext_at "kontext" 1' -a completion -d 'Print the completion script for a shell'
complete -c kontext -n '__kontext_at "kontext" 1' -a journal -d 'Copy the journal of jobs'
complete -c kontext -n '__kontext_at "kontext" 1' -a auth -d 'Store, list and remove provider keys'
complete -c kontext -n '__kontext_lacks "kontext" --version' -l version -d 'Show the version'
complete -c kontext -n '__kontext_lacks "kontext" -h --help' -s h -l help -d 'Show this message and exit'

complete -c kontext -n '__kontext_lacks "kontext generate" -p --provider' -s p -l provider -x -a 'fal aimlapi chainhub bfl replicate together huggingface openai comfyui sandbox' -d 'Provider: fal, aimlapi, chainhub, bfl, replicate, together, huggingface, openai, comfyui, sandbox'
complete -c kontext -n '__kontext_lacks "kontext generate" -m --model' -s m -l model -x -a 'kontext-pro kontext-max kontext-dev flux-2-pro flux-2-max flux-2-flex flux-3 default' -d 'Model: kontext-pro (default), kontext-max, kontext-dev, flux-2-pro, flux-2-max, flux-2-flex, flux-3, or an endpoint id of the provider'
complete -c kontext -n '__kontext_lacks "kontext generate" -a --aspect-ratio' -s a -l aspect-ratio -x -a '21:9 16:9 4:3 3:2 1:1 2:3 3:4 9:16 9:21' -d 'Aspect ratio'
complete -c kontext -n '__kontext_lacks "kontext generate" --resolution' -l resolution -x -a '768sq 1k 1.5k 2k 4k' -d 'Resolution, of FLUX 3: about 0.6, 1, 2.4, 4 or 16 megapixels'
complete -c kontext -n '__kontext_lacks "kontext generate" -n --num-images' -s n -l num-images -x -a '1 2 3 4' -d 'Number of images, 1 to 4'
complete -c kontext -n '__kontext_lacks "kontext generate" --seed' -l seed -x -d 'Seed'
complete -c kontext -n '__kontext_lacks "kontext generate" -g --guidance-scale' -s g -l guidance-scale -x -d 'How closely to follow the prompt, 0 to 20'
complete -c kontext -n '__kontext_lacks "kontext generate" --safety-tolerance' -l safety-tolerance -x -a '0 1 2 3 4 5 6' -d 'Safety tolerance, 0 to 6; the lowest is the strictest'
complete -c kontext -n '__kontext_lacks "kontext generate" --no-safety-checker' -l no-safety-checker -d 'Switch off the safety checker, where a model lets you'
complete -c kontext -n '__kontext_lacks "kontext generate" --steps' -l steps -x -d 'Number of denoising steps, 1 to 50, where a model has them'
complete -c kontext -n '__kontext_lacks "kontext generate" --output-format' -l output-format -x -a 'jpeg png' -d 'Image format'
complete -c kontext -n '__kontext_lacks "kontext generate" --enhance-prompt' -l enhance-prompt -d 'Let the provider improve the prompt'
complete -c kontext -n '__kontext_lacks "kontext generate" --sync-mode' -l sync-mode -d 'Get the image in the reply itself; it is not kept in the provider\'s history'
complete -c kontext -n '__kontext_lacks "kontext generate" --keep-flagged' -l keep-flagged -d 'Also save images that the provider flagged as unsafe'
complete -c kontext -n '__kontext_lacks "kontext generate" --metadata' -l metadata -x -a 'off mark full' -d 'What to write into each image: off, nothing; mark, that a model made it; full, also prompt, seed and options'
complete -c kontext -n '__kontext_lacks "kontext generate" --sidecar' -l sidecar -d 'Also save prompt, seed and options beside each image, as NAME.SUFFIX.json'
complete -c kontext -n '__kontext_lacks "kontext generate" -o --output' -s o -l output -r -F -d 'Output file'
complete -c kontext -n '__kontext_lacks "kontext generate" -d --output-dir' -s d -l output-dir -x -a '(__fish_complete_directories)' -d 'Output directory, created if missing, or s3://, gs://, az://'
complete -c kontext -n '__kontext_lacks "kontext generate" --name' -l name -x -d 'Template for file names, with the fields {index} {id} {slug} {seed} {n} {job} {provider} {model} {stem} {date}'
complete -c kontext -n '__kontext_lacks "kontext generate" --exists' -l exists -x -a 'error skip number overwrite' -d 'What to do if a file exists'
complete -c kontext -n '__kontext_in "kontext generate"' -s f -l prompts-file -r -F -d 'Run a job for each row: .txt (one prompt per line), .jsonl, .json, .csv, .tsv, or `-`'
complete -c kontext -n '__kontext_lacks "kontext generate" -j --jobs' -s j -l jobs -x -d 'Maximum number of jobs in flight, 1 to 1000'
complete -c kontext -n '__kontext_lacks "kontext generate" --limit' -l limit -x -d 'Run only the first N rows'
complete -c kontext -n '__kontext_lacks "kontext generate" --only' -l only -x -d 'Run only these rows, given by id or number'
complete -c kontext -n '__kontext_lacks "kontext generate" --shard' -l shard -x -a 'auto' -d 'Run only part I of N of the rows'
complete -c kontext -n '__kontext_lacks "kontext generate" --lock' -l lock -d 'Keep a lock beside the prompts file, to be committed with the images: `kontext check` compares them'
complete -c kontext -n '__kontext_lacks "kontext generate" --fail-fast' -l fail-fast -d 'Stop at the first failure'
complete -c kontext -n '__kontext_lacks "kontext generate" --max-failures' -l max-failures -x -d 'Stop after N failures'
complete -c kontext -n '__kontext_lacks "kontext generate" --retry-failed' -l retry-failed -d 'Also retry rows that were moderated, and failed rows that may have been billed'
complete -c kontext -n '__kontext_lacks "kontext generate" --batch' -l batch -x -d 'Name of the batch'
complete -c kontext -n '__kontext_lacks "kontext generate" --on-unknown' -l on-unknown -x -a 'hold resubmit' -d 'What to do with rows that may have been accepted in an earlier run: hold or resubmit them'
complete -c kontext -n '__kontext_lacks "kontext generate" --force' -l force -d 'Also regenerate finished rows'
complete -c kontext -n '__kontext_lacks "kontext generate" --max-cost' -l max-cost -x -d 'Send nothing if the estimated cost is higher'
complete -c kontext -n '__kontext_lacks "kontext generate" --no-wait' -l no-wait -d 'Submit, print the job id, and exit'
complete -c kontext -n '__kontext_lacks "kontext generate" --timeout' -l timeout -x -d 'How long to wait for each job, in seconds or as in 30s, 5m, 1h'
complete -c kontext -n '__kontext_lacks "kontext generate" --dry-run' -l dry-run -d 'Print the request, the files and the estimated cost; send nothing'
complete -c kontext -n '__kontext_lacks "kontext generate" --json' -l json -d 'Print JSON Lines on standard output, one object per job'
complete -c kontext -n '__kontext_lacks "kontext generate" -q --quiet' -s q -l quiet -d 'Print only errors on standard error'
complete -c kontext -n '__kontext_lacks "kontext generate" --debug' -l debug -d 'Log each request on standard error, without secrets'
complete -c kontext -n '__kontext_lacks "kontext generate" --preview' -l preview -x -a 'auto kitty iterm blocks off' -d 'Show each image on the terminal as it is saved'
complete -c kontext -n '__kontext_lacks "kontext generate" --open' -l open -d 'Open the saved images with the viewer of the system'
complete -c kontext -n '__kontext_lacks "kontext generate" -h --help' -s h -l help -d 'Show this message and exit'

complete -c kontext -n '__kontext_in "kontext edit"' -s i -l image -r -F -d 'Input image: a path, a URL of https, s3, gs or az, or `-` for standard input'
complete -c kontext -n '__kontext_lacks "kontext edit" -p --provider' -s p -l provider -x -a 'fal aimlapi chainhub bfl replicate together huggingface openai comfyui sandbox' -d 'Provider: fal, aimlapi, chainhub, bfl, replicate, together, huggingface, openai, comfyui, sandbox'
complete -c kontext -n '__kontext_lacks "kontext edit" -m --model' -s m -l model -x -a 'kontext-pro kontext-max kontext-dev flux-2-pro flux-2-max flux-2-flex flux-3 default' -d 'Model: kontext-pro (default), kontext-max, kontext-dev, flux-2-pro, flux-2-max, flux-2-flex, flux-3, or an endpoint id of the provider'
complete -c kontext -n '__kontext_lacks "kontext edit" -a --aspect-ratio' -s a -l aspect-ratio -x -a '21:9 16:9 4:3 3:2 1:1 2:3 3:4 9:16 9:21' -d 'Aspect ratio'
complete -c kontext -n '__kontext_lacks "kontext edit" --resolution' -l resolution -x -a '768sq 1k 1.5k 2k 4k' -d 'Resolution, of FLUX 3: about 0.6, 1, 2.4, 4 or 16 megapixels'
complete -c kontext -n '__kontext_lacks "kontext edit" -n --num-images' -s n -l num-images -x -a '1 2 3 4' -d 'Number of images, 1 to 4'
complete -c kontext -n '__kontext_lacks "kontext edit" --seed' -l seed -x -d 'Seed'
complete -c kontext -n '__kontext_lacks "kontext edit" -g --guidance-scale' -s g -l guidance-scale -x -d 'How closely to follow the prompt, 0 to 20'
complete -c kontext -n '__kontext_lacks "kontext edit" --safety-tolerance' -l safety-tolerance -x -a '0 1 2 3 4 5 6' -d 'Safety tolerance, 0 to 6; the lowest is the strictest'
complete -c kontext -n '__kontext_lacks "kontext edit" --no-safety-checker' -l no-safety-checker -d 'Switch off the safety checker, where a model lets you'
complete -c kontext -n '__kontext_lacks "kontext edit" --steps' -l steps -x -d 'Number of denoising steps, 1 to 50, where a model has them'
complete -c kontext -n '__kontext_lacks "kontext edit" --output-format' -l output-format -x -a 'jpeg png' -d 'Image format'
complete -c kontext -n '__kontext_lacks "kontext edit" --enhance-prompt' -l enhance-prompt -d 'Let the provider improve the prompt'
complete -c kontext -n '__kontext_lacks "kontext edit" --sync-mode' -l sync-mode -d 'Get the image in the reply itself; it is not kept in the provider\'s history'
complete -c kontext -n '__kontext_lacks "kontext edit" --keep-flagged' -l keep-flagged -d 'Also save images that the provider flagged as unsafe'
complete -c kontext -n '__kontext_lacks "kontext edit" --metadata' -l metadata -x -a 'off mark full' -d 'What to write into each image: off, nothing; mark, that a model made it; full, also prompt, seed and options'
complete -c kontext -n '__kontext_lacks "kontext edit" --sidecar' -l sidecar -d 'Also save prompt, seed and options beside each image, as NAME.SUFFIX.json'
complete -c kontext -n '__kontext_lacks "kontext edit" -o --output' -s o -l output -r -F -d 'Output file'
complete -c kontext -n '__kontext_lacks "kontext edit" -d --output-dir' -s d -l output-dir -x -a '(__fish_complete_directories)' -d 'Output directory, created if missing, or s3://, gs://, az://'
complete -c kontext -n '__kontext_lacks "kontext edit" --name' -l name -x -d 'Template for file names, with the fields {index} {id} {slug} {seed} {n} {job} {provider} {model} {stem} {date}'
complete -c kontext -n '__kontext_lacks "kontext edit" --exists' -l exists -x -a 'error skip number overwrite' -d 'What to do if a file exists'
complete -c kontext -n '__kontext_in "kontext edit"' -s f -l prompts-file -r -F -d 'Run a job for each row: .txt (one prompt per line), .jsonl, .json, .csv, .tsv, or `-`'
complete -c kontext -n '__kontext_lacks "kontext edit" --each' -l each -d 'Run a job for each image given with -i; a directory stands for the images in it'
complete -c kontext -n '__kontext_lacks "kontext edit" -j --jobs' -s j -l jobs -x -d 'Maximum number of jobs in flight, 1 to 1000'
complete -c kontext -n '__kontext_lacks "kontext edit" --limit' -l limit -x -d 'Run only the first N rows'
complete -c kontext -n '__kontext_lacks "kontext edit" --only' -l only -x -d 'Run only these rows, given by id or number'
complete -c kontext -n '__kontext_lacks "kontext edit" --shard' -l shard -x -a 'auto' -d 'Run only part I of N of the rows'
complete -c kontext -n '__kontext_lacks "kontext edit" --lock' -l lock -d 'Keep a lock beside the prompts file, to be committed with the images: `kontext check` compares them'
complete -c kontext -n '__kontext_lacks "kontext edit" --fail-fast' -l fail-fast -d 'Stop at the first failure'
complete -c kontext -n '__kontext_lacks "kontext edit" --max-failures' -l max-failures -x -d 'Stop after N failures'
complete -c kontext -n '__kontext_lacks "kontext edit" --retry-failed' -l retry-failed -d 'Also retry rows that were moderated, and failed rows that may have been billed'
complete -c kontext -n '__kontext_lacks "kontext edit" --batch' -l batch -x -d 'Name of the batch'
complete -c kontext -n '__kontext_lacks "kontext edit" --on-unknown' -l on-unknown -x -a 'hold resubmit' -d 'What to do with rows that may have been accepted in an earlier run: hold or resubmit them'
complete -c kontext -n '__kontext_lacks "kontext edit" --force' -l force -d 'Also regenerate finished rows'
complete -c kontext -n '__kontext_lacks "kontext edit" --max-cost' -l max-cost -x -d 'Send nothing if the estimated cost is higher'
complete -c kontext -n '__kontext_lacks "kontext edit" --no-wait' -l no-wait -d 'Submit, print the job id, and exit'
complete -c kontext -n '__kontext_lacks "kontext edit" --timeout' -l timeout -x -d 'How long to wait for each job, in seconds or as in 30s, 5m, 1h'
complete -c kontext -n '__kontext_lacks "kontext edit" --dry-run' -l dry-run -d 'Print the request, the files and the estimated cost; send nothing'
complete -c kontext -n '__kontext_lacks "kontext edit" --json' -l json -d 'Print JSON Lines on standard output, one object per job'
complete -c kontext -n '__kontext_lacks "kontext edit" -q --quiet' -s q -l quiet -d 'Print only errors on standard error'
complete -c kontext -n '__kontext_lacks "kontext edit" --debug' -l debug -d 'Log each request on standard error, without secrets'
complete -c kontext -n '__kontext_lacks "kontext edit" --preview' -l preview -x -a 'auto kitty iterm blocks off' -d 'Show each image on the terminal as it is saved'
complete -c kontext -n '__kontext_lacks "kontext edit" --open' -l open -d 'Open the saved images with the viewer of the system'
complete -c kontext -n '__kontext_lacks "kontext edit" -h --help' -s h -l help -d 'Show this message and exit'

complete -c kontext -n '__kontext_lacks "kontext status" -p --provider' -s p -l provider -x -a 'fal aimlapi chainhub bfl replicate together huggingface openai comfyui sandbox' -d 'Provider of the request id, for a job that was submitted elsewhere'
complete -c kontext -n '__kontext_lacks "kontext status" -m --model' -s m -l model -x -a 'kontext-pro kontext-max kontext-dev flux-2-pro flux-2-max flux-2-flex flux-3 default' -d 'Model that the job with that request id was submitted to'
complete -c kontext -n '__kontext_lacks "kontext status" --limit' -l limit -x -d 'Maximum number of jobs to list'
complete -c kontext -n '__kontext_in "kontext status"' -l state -x -a 'planned submitting queued running ready saved failed moderated canceled expired unknown' -d 'Only jobs in this state'
complete -c kontext -n '__kontext_lacks "kontext status" --batch' -l batch -x -d 'Only jobs of this batch'
complete -c kontext -n '__kontext_lacks "kontext status" --watch' -l watch -d 'Follow the given jobs until they end'
complete -c kontext -n '__kontext_lacks "kontext status" --timeout' -l timeout -x -d 'How long to wait for each job, in seconds or as in 30s, 5m, 1h'
complete -c kontext -n '__kontext_lacks "kontext status" --json' -l json -d 'Print JSON Lines on standard output, one object per job'
complete -c kontext -n '__kontext_lacks "kontext status" -q --quiet' -s q -l quiet -d 'Print only errors on standard error'
complete -c kontext -n '__kontext_lacks "kontext status" --debug' -l debug -d 'Log each request on standard error, without secrets'
complete -c kontext -n '__kontext_lacks "kontext status" -h --help' -s h -l help -d 'Show this message and exit'

complete -c kontext -n '__kontext_lacks "kontext fetch" -p --provider' -s p -l provider -x -a 'fal aimlapi chainhub bfl replicate together huggingface openai comfyui sandbox' -d 'Provider of the request id, for a job that was submitted elsewhere'
complete -c kontext -n '__kontext_lacks "kontext fetch" -m --model' -s m -l model -x -a 'kontext-pro kontext-max kontext-dev flux-2-pro flux-2-max flux-2-flex flux-3 default' -d 'Model that the job with that request id was submitted to'
complete -c kontext -n '__kontext_lacks "kontext fetch" -o --output' -s o -l output -r -F -d 'Output file'
complete -c kontext -n '__kontext_lacks "kontext fetch" -d --output-dir' -s d -l output-dir -x -a '(__fish_complete_directories)' -d 'Output directory, created if missing, or s3://, gs://, az://'
complete -c kontext -n '__kontext_lacks "kontext fetch" --name' -l name -x -d 'Template for file names, with the fields {index} {id} {slug} {seed} {n} {job} {provider} {model} {stem} {date}'
complete -c kontext -n '__kontext_lacks "kontext fetch" --keep-flagged' -l keep-flagged -d 'Also save images that the provider flagged as unsafe'
complete -c kontext -n '__kontext_lacks "kontext fetch" --resubmit' -l resubmit -d 'Resubmit the given `unknown` or `failed` jobs'
complete -c kontext -n '__kontext_lacks "kontext fetch" --timeout' -l timeout -x -d 'How long to wait for each job, in seconds or as in 30s, 5m, 1h'
complete -c kontext -n '__kontext_lacks "kontext fetch" --json' -l json -d 'Print JSON Lines on standard output, one object per job'
complete -c kontext -n '__kontext_lacks "kontext fetch" -q --quiet' -s q -l quiet -d 'Print only errors on standard error'
complete -c kontext -n '__kontext_lacks "kontext fetch" --debug' -l debug -d 'Log each request on standard error, without secrets'
complete -c kontext -n '__kontext_lacks "kontext fetch" --preview' -l preview -x -a 'auto kitty iterm blocks off' -d 'Show each image on the terminal as it is saved'
complete -c kontext -n '__kontext_lacks "kontext fetch" --open' -l open -d 'Open the saved images with the viewer of the system'
complete -c kontext -n '__kontext_lacks "kontext fetch" -h --help' -s h -l help -d 'Show this message and exit'

complete -c kontext -n '__kontext_lacks "kontext cancel" -p --provider' -s p -l provider -x -a 'fal aimlapi chainhub bfl replicate together huggingface openai comfyui sandbox' -d 'Provider of the request id, for a job that was submitted elsewhere'
complete -c kontext -n '__kontext_lacks "kontext cancel" -m --model' -s m -l model -x -a 'kontext-pro kontext-max kontext-dev flux-2-pro flux-2-max flux-2-flex flux-3 default' -d 'Model that the job with that request id was submitted to'
complete -c kontext -n '__kontext_lacks "kontext cancel" --json' -l json -d 'Print JSON Lines on standard output, one object per job'
complete -c kontext -n '__kontext_lacks "kontext cancel" -q --quiet' -s q -l quiet -d 'Print only errors on standard error'
complete -c kontext -n '__kontext_lacks "kontext cancel" --debug' -l debug -d 'Log each request on standard error, without secrets'
complete -c kontext -n '__kontext_lacks "kontext cancel" -h --help' -s h -l help -d 'Show this message and exit'

complete -c kontext -n '__kontext_lacks "kontext forget" --older-than' -l older-than -x -d 'Jobs older than this, as in 30d, 12h, 90m'
complete -c kontext -n '__kontext_in "kontext forget"' -l state -x -a 'planned submitting queued running ready saved failed moderated canceled expired unknown' -d 'Jobs in this state'
complete -c kontext -n '__kontext_lacks "kontext forget" -h --help' -s h -l help -d 'Show this message and exit'

complete -c kontext -n '__kontext_from "kontext check" 1' -F -d 'Prompts files with a lock, or the locks'
complete -c kontext -n '__kontext_in "kontext check"' -l accept -x -d 'Take the images of these rows as they are, as those of the rows as they are now'
complete -c kontext -n '__kontext_lacks "kontext check" --prune' -l prune -d 'Remove rows from the lock that the prompts file no longer has, and their images'
complete -c kontext -n '__kontext_lacks "kontext check" --merge' -l merge -d 'Unite the locks of shards, NAME.IofN.lock, into the lock, and remove them'
complete -c kontext -n '__kontext_lacks "kontext check" --json' -l json -d 'Print JSON Lines on standard output'
complete -c kontext -n '__kontext_lacks "kontext check" -q --quiet' -s q -l quiet -d 'Print only errors on standard error'
complete -c kontext -n '__kontext_lacks "kontext check" -h --help' -s h -l help -d 'Show this message and exit'

complete -c kontext -n '__kontext_from "kontext info" 1' -F -d 'Images: JPEG, PNG or WebP files'
complete -c kontext -n '__kontext_lacks "kontext info" --json' -l json -d 'Print JSON Lines on standard output'
complete -c kontext -n '__kontext_lacks "kontext info" -h --help' -s h -l help -d 'Show this message and exit'

complete -c kontext -n '__kontext_from "kontext replay" 1' -F -d 'Images: JPEG, PNG or WebP files'
complete -c kontext -n '__kontext_lacks "kontext replay" --prompt' -l prompt -x -d 'Another prompt than that of the image; `-` is standard input'
complete -c kontext -n '__kontext_in "kontext replay"' -s i -l image -r -F -d 'Input image: a path, a URL of https, s3, gs or az, or `-` for standard input'
complete -c kontext -n '__kontext_lacks "kontext replay" -p --provider' -s p -l provider -x -a 'fal aimlapi chainhub bfl replicate together huggingface openai comfyui sandbox' -d 'Provider: fal, aimlapi, chainhub, bfl, replicate, together, huggingface, openai, comfyui, sandbox'
complete -c kontext -n '__kontext_lacks "kontext replay" -m --model' -s m -l model -x -a 'kontext-pro kontext-max kontext-dev flux-2-pro flux-2-max flux-2-flex flux-3 default' -d 'Model: kontext-pro (default), kontext-max, kontext-dev, flux-2-pro, flux-2-max, flux-2-flex, flux-3, or an endpoint id of the provider'
complete -c kontext -n '__kontext_lacks "kontext replay" -a --aspect-ratio' -s a -l aspect-ratio -x -a '21:9 16:9 4:3 3:2 1:1 2:3 3:4 9:16 9:21' -d 'Aspect ratio'
complete -c kontext -n '__kontext_lacks "kontext replay" --resolution' -l resolution -x -a '768sq 1k 1.5k 2k 4k' -d 'Resolution, of FLUX 3: about 0.6, 1, 2.4, 4 or 16 megapixels'
complete -c kontext -n '__kontext_lacks "kontext replay" -n --num-images' -s n -l num-images -x -a '1 2 3 4' -d 'Number of images, 1 to 4'
complete -c kontext -n '__kontext_lacks "kontext replay" --seed' -l seed -x -d 'Seed'
complete -c kontext -n '__kontext_lacks "kontext replay" -g --guidance-scale' -s g -l guidance-scale -x -d 'How closely to follow the prompt, 0 to 20'
complete -c kontext -n '__kontext_lacks "kontext replay" --safety-tolerance' -l safety-tolerance -x -a '0 1 2 3 4 5 6' -d 'Safety tolerance, 0 to 6; the lowest is the strictest'
complete -c kontext -n '__kontext_lacks "kontext replay" --no-safety-checker' -l no-safety-checker -d 'Switch off the safety checker, where a model lets you'
complete -c kontext -n '__kontext_lacks "kontext replay" --steps' -l steps -x -d 'Number of denoising steps, 1 to 50, where a model has them'
complete -c kontext -n '__kontext_lacks "kontext replay" --output-format' -l output-format -x -a 'jpeg png' -d 'Image format'
complete -c kontext -n '__kontext_lacks "kontext replay" --enhance-prompt' -l enhance-prompt -d 'Let the provider improve the prompt'
complete -c kontext -n '__kontext_lacks "kontext replay" --sync-mode' -l sync-mode -d 'Get the image in the reply itself; it is not kept in the provider\'s history'
complete -c kontext -n '__kontext_lacks "kontext replay" --keep-flagged' -l keep-flagged -d 'Also save images that the provider flagged as unsafe'
complete -c kontext -n '__kontext_lacks "kontext replay" --metadata' -l metadata -x -a 'off mark full' -d 'What to write into each image: off, nothing; mark, that a model made it; full, also prompt, seed and options'
complete -c kontext -n '__kontext_lacks "kontext replay" --sidecar' -l sidecar -d 'Also save prompt, seed and options beside each image, as NAME.SUFFIX.json'
complete -c kontext -n '__kontext_lacks "kontext replay" -o --output' -s o -l output -r -F -d 'Output file'
complete -c kontext -n '__kontext_lacks "kontext replay" -d --output-dir' -s d -l output-dir -x -a '(__fish_complete_directories)' -d 'Output directory, created if missing, or s3://, gs://, az://'
complete -c kontext -n '__kontext_lacks "kontext replay" --name' -l name -x -d 'Template for file names, with the fields {index} {id} {slug} {seed} {n} {job} {provider} {model} {stem} {date}'
complete -c kontext -n '__kontext_lacks "kontext replay" --exists' -l exists -x -a 'error skip number overwrite' -d 'What to do if a file exists'
complete -c kontext -n '__kontext_lacks "kontext replay" -j --jobs' -s j -l jobs -x -d 'Maximum number of jobs in flight, 1 to 1000'
complete -c kontext -n '__kontext_lacks "kontext replay" --fail-fast' -l fail-fast -d 'Stop at the first failure'
complete -c kontext -n '__kontext_lacks "kontext replay" --max-failures' -l max-failures -x -d 'Stop after N failures'
complete -c kontext -n '__kontext_lacks "kontext replay" --retry-failed' -l retry-failed -d 'Also retry rows that were moderated, and failed rows that may have been billed'
complete -c kontext -n '__kontext_lacks "kontext replay" --on-unknown' -l on-unknown -x -a 'hold resubmit' -d 'What to do with rows that may have been accepted in an earlier run: hold or resubmit them'
complete -c kontext -n '__kontext_lacks "kontext replay" --force' -l force -d 'Also regenerate finished rows'
complete -c kontext -n '__kontext_lacks "kontext replay" --max-cost' -l max-cost -x -d 'Send nothing if the estimated cost is higher'
complete -c kontext -n '__kontext_lacks "kontext replay" --no-wait' -l no-wait -d 'Submit, print the job id, and exit'
complete -c kontext -n '__kontext_lacks "kontext replay" --timeout' -l timeout -x -d 'How long to wait for each job, in seconds or as in 30s, 5m, 1h'
complete -c kontext -n '__kontext_lacks "kontext replay" --dry-run' -l dry-run -d 'Print the request, the files and the estimated cost; send nothing'
complete -c kontext -n '__kontext_lacks "kontext replay" --json' -l json -d 'Print JSON Lines on standard output, one object per job'
complete -c kontext -n '__kontext_lacks "kontext replay" -q --quiet' -s q -l quiet -d 'Print only errors on standard error'
complete -c kontext -n '__kontext_lacks "kontext replay" --debug' -l debug -d 'Log each request on standard error, without secrets'
complete -c kontext -n '__kontext_lacks "kontext replay" --preview' -l preview -x -a 'auto kitty iterm blocks off' -d 'Show each image on the terminal as it is saved'
complete -c kontext -n '__kontext_lacks "kontext replay" --open' -l open -d 'Open the saved images with the viewer of the system'
complete -c kontext -n '__kontext_lacks "kontext replay" -h --help' -s h -l help -d 'Show this message and exit'

complete -c kontext -n '__kontext_from "kontext show" 1' -F -d 'Images: JPEG, PNG, WebP or GIF files'
complete -c kontext -n '__kontext_lacks "kontext show" --width' -l width -x -d 'Width of each image at most'
complete -c kontext -n '__kontext_lacks "kontext show" --preview' -l preview -x -a 'auto kitty iterm blocks' -d 'How to draw'
complete -c kontext -n '__kontext_lacks "kontext show" -h --help' -s h -l help -d 'Show this message and exit'

complete -c kontext -n '__kontext_from "kontext gallery" 1' -F -d 'Images, and directories with images'
complete -c kontext -n '__kontext_lacks "kontext gallery" -o --output' -s o -l output -r -F -d 'Required'
complete -c kontext -n '__kontext_lacks "kontext gallery" --batch' -l batch -x -d 'Show the rows of this batch'
complete -c kontext -n '__kontext_lacks "kontext gallery" --inline' -l inline -d 'Put the images into the page itself, in a smaller size'
complete -c kontext -n '__kontext_lacks "kontext gallery" --columns' -l columns -x -d 'Columns of the sheet'
complete -c kontext -n '__kontext_lacks "kontext gallery" --label' -l label -x -a 'prompt id seed model provider cost state file' -d 'Labels on the sheet: prompt (default), id, seed, model, provider, cost, state, file'
complete -c kontext -n '__kontext_lacks "kontext gallery" --json' -l json -d 'Print JSON Lines on standard output'
complete -c kontext -n '__kontext_lacks "kontext gallery" -q --quiet' -s q -l quiet -d 'Print only errors on standard error'
complete -c kontext -n '__kontext_lacks "kontext gallery" -h --help' -s h -l help -d 'Show this message and exit'

complete -c kontext -n '__kontext_lacks "kontext cost" --since' -l since -x -d 'Only jobs submitted within this time, as in 30d, 12h, 90m'
complete -c kontext -n '__kontext_lacks "kontext cost" --by' -l by -x -a 'day provider model batch' -d 'Only this table, and all of it: day, provider, model or batch'
complete -c kontext -n '__kontext_lacks "kontext cost" --json' -l json -d 'Print JSON Lines on standard output'
complete -c kontext -n '__kontext_lacks "kontext cost" -q --quiet' -s q -l quiet -d 'Print only errors on standard error'
complete -c kontext -n '__kontext_lacks "kontext cost" -h --help' -s h -l help -d 'Show this message and exit'

complete -c kontext -n '__kontext_lacks "kontext models" -p --provider' -s p -l provider -x -a 'fal aimlapi chainhub bfl replicate together huggingface openai comfyui sandbox' -d 'Only the models of this provider'
complete -c kontext -n '__kontext_lacks "kontext models" -m --model' -s m -l model -x -a 'kontext-pro kontext-max kontext-dev flux-2-pro flux-2-max flux-2-flex flux-3 default' -d 'Model: kontext-pro (default), kontext-max, kontext-dev, flux-2-pro, flux-2-max, flux-2-flex, flux-3, or an endpoint id of the provider'
complete -c kontext -n '__kontext_lacks "kontext models" --check' -l check -d 'Ask the providers which of these models they withdraw'
complete -c kontext -n '__kontext_lacks "kontext models" --json' -l json -d 'Print JSON Lines on standard output'
complete -c kontext -n '__kontext_lacks "kontext models" --debug' -l debug -d 'Log each request on standard error, without secrets'
complete -c kontext -n '__kontext_lacks "kontext models" -h --help' -s h -l help -d 'Show this message and exit'

complete -c kontext -n '__kontext_lacks "kontext doctor" --online' -l online -d 'Ask each provider whether it takes the key, and each server of your own what it is'
complete -c kontext -n '__kontext_lacks "kontext doctor" --json' -l json -d 'Print JSON Lines on standard output'
complete -c kontext -n '__kontext_lacks "kontext doctor" --debug' -l debug -d 'Log each request on standard error, without secrets'
complete -c kontext -n '__kontext_lacks "kontext doctor" -h --help' -s h -l help -d 'Show this message and exit'

complete -c kontext -n '__kontext_lacks "kontext sandbox" --host' -l host -x -d 'A loopback address, or localhost'
complete -c kontext -n '__kontext_lacks "kontext sandbox" --port' -l port -x -d '0 picks a free port'
complete -c kontext -n '__kontext_lacks "kontext sandbox" --latency' -l latency -x -d 'Duration of a job'
complete -c kontext -n '__kontext_lacks "kontext sandbox" --fault' -l fault -x -a '401 402 403 429 503 html-502 reset lost-reply slow failed crashed timed-out invalid refused flagged empty fewer png-for-jpeg forgotten stuck poll-503 poll-reset unknown-status result-503 media-503 media-404 media-redirect truncated-media cut-media wrong-media' -d 'Inject a fault, always or the first K times'
complete -c kontext -n '__kontext_lacks "kontext sandbox" --plain' -l plain -d 'Make small images of a single color, for thousands of jobs'
complete -c kontext -n '__kontext_lacks "kontext sandbox" -q --quiet' -s q -l quiet -d 'Print only errors on standard error'
complete -c kontext -n '__kontext_lacks "kontext sandbox" -h --help' -s h -l help -d 'Show this message and exit'

complete -c kontext -n '__kontext_at "kontext completion" 1' -a 'bash zsh fish powershell' -d 'The shell'
complete -c kontext -n '__kontext_lacks "kontext completion" -h --help' -s h -l help -d 'Show this message and exit'

complete -c kontext -n '__kontext_at "kontext journal" 1' -a copy -d 'Copy all jobs of a journal into another, and compare both'
complete -c kontext -n '__kontext_lacks "kontext journal" -h --help' -s h -l help -d 'Show this message and exit'

complete -c kontext -n '__kontext_lacks "kontext journal copy" --json' -l json -d 'Print JSON Lines on standard output'
complete -c kontext -n '__kontext_lacks "kontext journal copy" -q --quiet' -s q -l quiet -d 'Print only errors on standard error'
complete -c kontext -n '__kontext_lacks "kontext journal copy" -h --help' -s h -l help -d 'Show this message and exit'

complete -c kontext -n '__kontext_at "kontext auth" 1' -a set -d 'Store a key, typed at a prompt or read from standard input'
complete -c kontext -n '__kontext_at "kontext auth" 1' -a status -d 'Show where each provider\'s key comes from'
complete -c kontext -n '__kontext_at "kontext auth" 1' -a remove -d 'Remove a stored key'
complete -c kontext -n '__kontext_lacks "kontext auth" -h --help' -s h -l help -d 'Show this message and exit'

complete -c kontext -n '__kontext_at "kontext auth set" 1' -a 'fal aimlapi chainhub bfl replicate together huggingface openai comfyui sandbox' -d 'The provider of the key'
complete -c kontext -n '__kontext_lacks "kontext auth set" -h --help' -s h -l help -d 'Show this message and exit'

complete -c kontext -n '__kontext_lacks "kontext auth status" --json' -l json -d 'Print JSON Lines on standard output'
complete -c kontext -n '__kontext_lacks "kontext auth status" -h --help' -s h -l help -d 'Show this message and exit'

complete -c kontext -n '__kontext_at "kontext auth remove" 1' -a 'fal aimlapi chainhub bfl replicate together huggingface openai comfyui sandbox' -d 'The provider of the key'
complete -c kontext -n '__kontext_lacks "kontext auth remove" -h --help' -s h -l help -d 'Show this message and exit'
