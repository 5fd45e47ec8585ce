# kontext: completion for PowerShell 5.1 and newer. Written by `make completions`; not to be edited.

Register-ArgumentCompleter -Native -CommandName kontext -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $tree = @{
        'kontext' = @{
            Commands = @(
                @{ Name = 'generate'; Help = 'Make an image from a prompt' }
                @{ Name = 'edit'; Help = 'Edit one or several images with a text instruction' }
                @{ Name = 'status'; Help = 'List recent jobs, or poll the provider for the given ones' }
                @{ Name = 'fetch'; Help = 'Wait for jobs and save their images' }
                @{ Name = 'cancel'; Help = 'Ask the provider to cancel jobs' }
                @{ Name = 'forget'; Help = 'Delete jobs and their prompts from the journal' }
                @{ Name = 'check'; Help = 'Compare prompts files and images with their lock' }
                @{ Name = 'info'; Help = 'Show how images were made, and where that is said' }
                @{ Name = 'replay'; Help = 'Make images again, by the requests that made them' }
                @{ Name = 'show'; Help = 'Show images in the terminal' }
                @{ Name = 'gallery'; Help = 'Make a page or a contact sheet of images' }
                @{ Name = 'cost'; Help = 'Show what was spent, by day, provider, model and batch' }
                @{ Name = 'models'; Help = 'List providers, models, options and prices' }
                @{ Name = 'doctor'; Help = 'Show each setting with its origin, and check keys, network, folders and programs' }
                @{ Name = 'sandbox'; Help = 'Serve emulated providers on this machine' }
                @{ Name = 'completion'; Help = 'Print the completion script for a shell' }
                @{ Name = 'journal'; Help = 'Copy the journal of jobs' }
                @{ Name = 'auth'; Help = 'Store, list and remove provider keys' }
            )
            Options = @(
                @{ Flags = @('--version'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Show the version' }
                @{ Flags = @('-h', '--help'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Show this message and exit' }
            )
            Arguments = @(
            )
        }
        'kontext generate' = @{
            Commands = @(
            )
            Options = @(
                @{ Flags = @('-p', '--provider'); Kind = 'value'; Values = @('fal', 'aimlapi', 'chainhub', 'bfl', 'replicate', 'together', 'huggingface', 'openai', 'comfyui', 'sandbox'); Repeatable = $false; Help = 'Provider: fal, aimlapi, chainhub, bfl, replicate, together, huggingface, openai, comfyui, sandbox' }
                @{ Flags = @('-m', '--model'); Kind = 'value'; Values = @('kontext-pro', 'kontext-max', 'kontext-dev', 'flux-2-pro', 'flux-2-max', 'flux-2-flex', 'flux-3', 'default'); Repeatable = $false; Help = 'Model: kontext-pro (default), kontext-max, kontext-dev, flux-2-pro, flux-2-max, flux-2-flex, flux-3, or an endpoint id of the provider' }
                @{ Flags = @('-a', '--aspect-ratio'); Kind = 'value'; Values = @('21:9', '16:9', '4:3', '3:2', '1:1', '2:3', '3:4', '9:16', '9:21'); Repeatable = $false; Help = 'Aspect ratio' }
                @{ Flags = @('--resolution'); Kind = 'value'; Values = @('768sq', '1k', '1.5k', '2k', '4k'); Repeatable = $false; Help = 'Resolution, of FLUX 3: about 0.6, 1, 2.4, 4 or 16 megapixels' }
                @{ Flags = @('-n', '--num-images'); Kind = 'value'; Values = @('1', '2', '3', '4'); Repeatable = $false; Help = 'Number of images, 1 to 4' }
                @{ Flags = @('--seed'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Seed' }
                @{ Flags = @('-g', '--guidance-scale'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'How closely to follow the prompt, 0 to 20' }
                @{ Flags = @('--safety-tolerance'); Kind = 'value'; Values = @('0', '1', '2', '3', '4', '5', '6'); Repeatable = $false; Help = 'Safety tolerance, 0 to 6; the lowest is the strictest' }
                @{ Flags = @('--no-safety-checker'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Switch off the safety checker, where a model lets you' }
                @{ Flags = @('--steps'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Number of denoising steps, 1 to 50, where a model has them' }
                @{ Flags = @('--output-format'); Kind = 'value'; Values = @('jpeg', 'png'); Repeatable = $false; Help = 'Image format' }
                @{ Flags = @('--enhance-prompt'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Let the provider improve the prompt' }
                @{ Flags = @('--sync-mode'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Get the image in the reply itself; it is not kept in the provider''s history' }
                @{ Flags = @('--keep-flagged'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Also save images that the provider flagged as unsafe' }
                @{ Flags = @('--metadata'); Kind = 'value'; Values = @('off', 'mark', 'full'); Repeatable = $false; Help = 'What to write into each image: off, nothing; mark, that a model made it; full, also prompt, seed and options' }
                @{ Flags = @('--sidecar'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Also save prompt, seed and options beside each image, as NAME.SUFFIX.json' }
                @{ Flags = @('-o', '--output'); Kind = 'file'; Values = @(); Repeatable = $false; Help = 'Output file' }
                @{ Flags = @('-d', '--output-dir'); Kind = 'folder'; Values = @(); Repeatable = $false; Help = 'Output directory, created if missing, or s3://, gs://, az://' }
                @{ Flags = @('--name'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Template for file names, with the fields {index} {id} {slug} {seed} {n} {job} {provider} {model} {stem} {date}' }
                @{ Flags = @('--exists'); Kind = 'value'; Values = @('error', 'skip', 'number', 'overwrite'); Repeatable = $false; Help = 'What to do if a file exists' }
                @{ Flags = @('-f', '--prompts-file'); Kind = 'file'; Values = @(); Repeatable = $true; Help = 'Run a job for each row: .txt (one prompt per line), .jsonl, .json, .csv, .tsv, or `-`' }
                @{ Flags = @('-j', '--jobs'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Maximum number of jobs in flight, 1 to 1000' }
                @{ Flags = @('--limit'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Run only the first N rows' }
                @{ Flags = @('--only'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Run only these rows, given by id or number' }
                @{ Flags = @('--shard'); Kind = 'value'; Values = @('auto'); Repeatable = $false; Help = 'Run only part I of N of the rows' }
                @{ Flags = @('--lock'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Keep a lock beside the prompts file, to be committed with the images: `kontext check` compares them' }
                @{ Flags = @('--fail-fast'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Stop at the first failure' }
                @{ Flags = @('--max-failures'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Stop after N failures' }
                @{ Flags = @('--retry-failed'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Also retry rows that were moderated, and failed rows that may have been billed' }
                @{ Flags = @('--batch'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Name of the batch' }
                @{ Flags = @('--on-unknown'); Kind = 'value'; Values = @('hold', 'resubmit'); Repeatable = $false; Help = 'What to do with rows that may have been accepted in an earlier run: hold or resubmit them' }
                @{ Flags = @('--force'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Also regenerate finished rows' }
                @{ Flags = @('--max-cost'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Send nothing if the estimated cost is higher' }
                @{ Flags = @('--no-wait'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Submit, print the job id, and exit' }
                @{ Flags = @('--timeout'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'How long to wait for each job, in seconds or as in 30s, 5m, 1h' }
                @{ Flags = @('--dry-run'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Print the request, the files and the estimated cost; send nothing' }
                @{ Flags = @('--json'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Print JSON Lines on standard output, one object per job' }
                @{ Flags = @('-q', '--quiet'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Print only errors on standard error' }
                @{ Flags = @('--debug'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Log each request on standard error, without secrets' }
                @{ Flags = @('--preview'); Kind = 'value'; Values = @('auto', 'kitty', 'iterm', 'blocks', 'off'); Repeatable = $false; Help = 'Show each image on the terminal as it is saved' }
                @{ Flags = @('--open'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Open the saved images with the viewer of the system' }
                @{ Flags = @('-h', '--help'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Show this message and exit' }
            )
            Arguments = @(
                @{ Kind = 'value'; Values = @(); Repeatable = $false; Help = 'What to make, or what to change' }
            )
        }
        'kontext edit' = @{
            Commands = @(
            )
            Options = @(
                @{ Flags = @('-i', '--image'); Kind = 'file'; Values = @(); Repeatable = $true; Help = 'Input image: a path, a URL of https, s3, gs or az, or `-` for standard input' }
                @{ Flags = @('-p', '--provider'); Kind = 'value'; Values = @('fal', 'aimlapi', 'chainhub', 'bfl', 'replicate', 'together', 'huggingface', 'openai', 'comfyui', 'sandbox'); Repeatable = $false; Help = 'Provider: fal, aimlapi, chainhub, bfl, replicate, together, huggingface, openai, comfyui, sandbox' }
                @{ Flags = @('-m', '--model'); Kind = 'value'; Values = @('kontext-pro', 'kontext-max', 'kontext-dev', 'flux-2-pro', 'flux-2-max', 'flux-2-flex', 'flux-3', 'default'); Repeatable = $false; Help = 'Model: kontext-pro (default), kontext-max, kontext-dev, flux-2-pro, flux-2-max, flux-2-flex, flux-3, or an endpoint id of the provider' }
                @{ Flags = @('-a', '--aspect-ratio'); Kind = 'value'; Values = @('21:9', '16:9', '4:3', '3:2', '1:1', '2:3', '3:4', '9:16', '9:21'); Repeatable = $false; Help = 'Aspect ratio' }
                @{ Flags = @('--resolution'); Kind = 'value'; Values = @('768sq', '1k', '1.5k', '2k', '4k'); Repeatable = $false; Help = 'Resolution, of FLUX 3: about 0.6, 1, 2.4, 4 or 16 megapixels' }
                @{ Flags = @('-n', '--num-images'); Kind = 'value'; Values = @('1', '2', '3', '4'); Repeatable = $false; Help = 'Number of images, 1 to 4' }
                @{ Flags = @('--seed'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Seed' }
                @{ Flags = @('-g', '--guidance-scale'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'How closely to follow the prompt, 0 to 20' }
                @{ Flags = @('--safety-tolerance'); Kind = 'value'; Values = @('0', '1', '2', '3', '4', '5', '6'); Repeatable = $false; Help = 'Safety tolerance, 0 to 6; the lowest is the strictest' }
                @{ Flags = @('--no-safety-checker'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Switch off the safety checker, where a model lets you' }
                @{ Flags = @('--steps'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Number of denoising steps, 1 to 50, where a model has them' }
                @{ Flags = @('--output-format'); Kind = 'value'; Values = @('jpeg', 'png'); Repeatable = $false; Help = 'Image format' }
                @{ Flags = @('--enhance-prompt'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Let the provider improve the prompt' }
                @{ Flags = @('--sync-mode'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Get the image in the reply itself; it is not kept in the provider''s history' }
                @{ Flags = @('--keep-flagged'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Also save images that the provider flagged as unsafe' }
                @{ Flags = @('--metadata'); Kind = 'value'; Values = @('off', 'mark', 'full'); Repeatable = $false; Help = 'What to write into each image: off, nothing; mark, that a model made it; full, also prompt, seed and options' }
                @{ Flags = @('--sidecar'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Also save prompt, seed and options beside each image, as NAME.SUFFIX.json' }
                @{ Flags = @('-o', '--output'); Kind = 'file'; Values = @(); Repeatable = $false; Help = 'Output file' }
                @{ Flags = @('-d', '--output-dir'); Kind = 'folder'; Values = @(); Repeatable = $false; Help = 'Output directory, created if missing, or s3://, gs://, az://' }
                @{ Flags = @('--name'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Template for file names, with the fields {index} {id} {slug} {seed} {n} {job} {provider} {model} {stem} {date}' }
                @{ Flags = @('--exists'); Kind = 'value'; Values = @('error', 'skip', 'number', 'overwrite'); Repeatable = $false; Help = 'What to do if a file exists' }
                @{ Flags = @('-f', '--prompts-file'); Kind = 'file'; Values = @(); Repeatable = $true; Help = 'Run a job for each row: .txt (one prompt per line), .jsonl, .json, .csv, .tsv, or `-`' }
                @{ Flags = @('--each'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Run a job for each image given with -i; a directory stands for the images in it' }
                @{ Flags = @('-j', '--jobs'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Maximum number of jobs in flight, 1 to 1000' }
                @{ Flags = @('--limit'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Run only the first N rows' }
                @{ Flags = @('--only'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Run only these rows, given by id or number' }
                @{ Flags = @('--shard'); Kind = 'value'; Values = @('auto'); Repeatable = $false; Help = 'Run only part I of N of the rows' }
                @{ Flags = @('--lock'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Keep a lock beside the prompts file, to be committed with the images: `kontext check` compares them' }
                @{ Flags = @('--fail-fast'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Stop at the first failure' }
                @{ Flags = @('--max-failures'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Stop after N failures' }
                @{ Flags = @('--retry-failed'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Also retry rows that were moderated, and failed rows that may have been billed' }
                @{ Flags = @('--batch'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Name of the batch' }
                @{ Flags = @('--on-unknown'); Kind = 'value'; Values = @('hold', 'resubmit'); Repeatable = $false; Help = 'What to do with rows that may have been accepted in an earlier run: hold or resubmit them' }
                @{ Flags = @('--force'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Also regenerate finished rows' }
                @{ Flags = @('--max-cost'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Send nothing if the estimated cost is higher' }
                @{ Flags = @('--no-wait'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Submit, print the job id, and exit' }
                @{ Flags = @('--timeout'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'How long to wait for each job, in seconds or as in 30s, 5m, 1h' }
                @{ Flags = @('--dry-run'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Print the request, the files and the estimated cost; send nothing' }
                @{ Flags = @('--json'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Print JSON Lines on standard output, one object per job' }
                @{ Flags = @('-q', '--quiet'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Print only errors on standard error' }
                @{ Flags = @('--debug'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Log each request on standard error, without secrets' }
                @{ Flags = @('--preview'); Kind = 'value'; Values = @('auto', 'kitty', 'iterm', 'blocks', 'off'); Repeatable = $false; Help = 'Show each image on the terminal as it is saved' }
                @{ Flags = @('--open'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Open the saved images with the viewer of the system' }
                @{ Flags = @('-h', '--help'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Show this message and exit' }
            )
            Arguments = @(
                @{ Kind = 'value'; Values = @(); Repeatable = $false; Help = 'What to make, or what to change' }
            )
        }
        'kontext status' = @{
            Commands = @(
            )
            Options = @(
                @{ Flags = @('-p', '--provider'); Kind = 'value'; Values = @('fal', 'aimlapi', 'chainhub', 'bfl', 'replicate', 'together', 'huggingface', 'openai', 'comfyui', 'sandbox'); Repeatable = $false; Help = 'Provider of the request id, for a job that was submitted elsewhere' }
                @{ Flags = @('-m', '--model'); Kind = 'value'; Values = @('kontext-pro', 'kontext-max', 'kontext-dev', 'flux-2-pro', 'flux-2-max', 'flux-2-flex', 'flux-3', 'default'); Repeatable = $false; Help = 'Model that the job with that request id was submitted to' }
                @{ Flags = @('--limit'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Maximum number of jobs to list' }
                @{ Flags = @('--state'); Kind = 'value'; Values = @('planned', 'submitting', 'queued', 'running', 'ready', 'saved', 'failed', 'moderated', 'canceled', 'expired', 'unknown'); Repeatable = $true; Help = 'Only jobs in this state' }
                @{ Flags = @('--batch'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Only jobs of this batch' }
                @{ Flags = @('--watch'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Follow the given jobs until they end' }
                @{ Flags = @('--timeout'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'How long to wait for each job, in seconds or as in 30s, 5m, 1h' }
                @{ Flags = @('--json'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Print JSON Lines on standard output, one object per job' }
                @{ Flags = @('-q', '--quiet'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Print only errors on standard error' }
                @{ Flags = @('--debug'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Log each request on standard error, without secrets' }
                @{ Flags = @('-h', '--help'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Show this message and exit' }
            )
            Arguments = @(
                @{ Kind = 'value'; Values = @(); Repeatable = $true; Help = 'A job id or an unambiguous prefix of one; with --provider also a request id' }
            )
        }
        'kontext fetch' = @{
            Commands = @(
            )
            Options = @(
                @{ Flags = @('-p', '--provider'); Kind = 'value'; Values = @('fal', 'aimlapi', 'chainhub', 'bfl', 'replicate', 'together', 'huggingface', 'openai', 'comfyui', 'sandbox'); Repeatable = $false; Help = 'Provider of the request id, for a job that was submitted elsewhere' }
                @{ Flags = @('-m', '--model'); Kind = 'value'; Values = @('kontext-pro', 'kontext-max', 'kontext-dev', 'flux-2-pro', 'flux-2-max', 'flux-2-flex', 'flux-3', 'default'); Repeatable = $false; Help = 'Model that the job with that request id was submitted to' }
                @{ Flags = @('-o', '--output'); Kind = 'file'; Values = @(); Repeatable = $false; Help = 'Output file' }
                @{ Flags = @('-d', '--output-dir'); Kind = 'folder'; Values = @(); Repeatable = $false; Help = 'Output directory, created if missing, or s3://, gs://, az://' }
                @{ Flags = @('--name'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Template for file names, with the fields {index} {id} {slug} {seed} {n} {job} {provider} {model} {stem} {date}' }
                @{ Flags = @('--keep-flagged'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Also save images that the provider flagged as unsafe' }
                @{ Flags = @('--resubmit'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Resubmit the given `unknown` or `failed` jobs' }
                @{ Flags = @('--timeout'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'How long to wait for each job, in seconds or as in 30s, 5m, 1h' }
                @{ Flags = @('--json'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Print JSON Lines on standard output, one object per job' }
                @{ Flags = @('-q', '--quiet'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Print only errors on standard error' }
                @{ Flags = @('--debug'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Log each request on standard error, without secrets' }
                @{ Flags = @('--preview'); Kind = 'value'; Values = @('auto', 'kitty', 'iterm', 'blocks', 'off'); Repeatable = $false; Help = 'Show each image on the terminal as it is saved' }
                @{ Flags = @('--open'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Open the saved images with the viewer of the system' }
                @{ Flags = @('-h', '--help'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Show this message and exit' }
            )
            Arguments = @(
                @{ Kind = 'value'; Values = @(); Repeatable = $true; Help = 'A job id or an unambiguous prefix of one; with --provider also a request id' }
            )
        }
        'kontext cancel' = @{
            Commands = @(
            )
            Options = @(
                @{ Flags = @('-p', '--provider'); Kind = 'value'; Values = @('fal', 'aimlapi', 'chainhub', 'bfl', 'replicate', 'together', 'huggingface', 'openai', 'comfyui', 'sandbox'); Repeatable = $false; Help = 'Provider of the request id, for a job that was submitted elsewhere' }
                @{ Flags = @('-m', '--model'); Kind = 'value'; Values = @('kontext-pro', 'kontext-max', 'kontext-dev', 'flux-2-pro', 'flux-2-max', 'flux-2-flex', 'flux-3', 'default'); Repeatable = $false; Help = 'Model that the job with that request id was submitted to' }
                @{ Flags = @('--json'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Print JSON Lines on standard output, one object per job' }
                @{ Flags = @('-q', '--quiet'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Print only errors on standard error' }
                @{ Flags = @('--debug'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Log each request on standard error, without secrets' }
                @{ Flags = @('-h', '--help'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Show this message and exit' }
            )
            Arguments = @(
                @{ Kind = 'value'; Values = @(); Repeatable = $true; Help = 'A job id or an unambiguous prefix of one; with --provider also a request id' }
            )
        }
        'kontext forget' = @{
            Commands = @(
            )
            Options = @(
                @{ Flags = @('--older-than'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Jobs older than this, as in 30d, 12h, 90m' }
                @{ Flags = @('--state'); Kind = 'value'; Values = @('planned', 'submitting', 'queued', 'running', 'ready', 'saved', 'failed', 'moderated', 'canceled', 'expired', 'unknown'); Repeatable = $true; Help = 'Jobs in this state' }
                @{ Flags = @('-h', '--help'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Show this message and exit' }
            )
            Arguments = @(
                @{ Kind = 'value'; Values = @(); Repeatable = $true; Help = 'A job id or an unambiguous prefix of one' }
            )
        }
        'kontext check' = @{
            Commands = @(
            )
            Options = @(
                @{ Flags = @('--accept'); Kind = 'value'; Values = @(); Repeatable = $true; Help = 'Take the images of these rows as they are, as those of the rows as they are now' }
                @{ Flags = @('--prune'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Remove rows from the lock that the prompts file no longer has, and their images' }
                @{ Flags = @('--merge'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Unite the locks of shards, NAME.IofN.lock, into the lock, and remove them' }
                @{ Flags = @('--json'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Print JSON Lines on standard output' }
                @{ Flags = @('-q', '--quiet'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Print only errors on standard error' }
                @{ Flags = @('-h', '--help'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Show this message and exit' }
            )
            Arguments = @(
                @{ Kind = 'file'; Values = @(); Repeatable = $true; Help = 'Prompts files with a lock, or the locks' }
            )
        }
        'kontext info' = @{
            Commands = @(
            )
            Options = @(
                @{ Flags = @('--json'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Print JSON Lines on standard output' }
                @{ Flags = @('-h', '--help'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Show this message and exit' }
            )
            Arguments = @(
                @{ Kind = 'file'; Values = @(); Repeatable = $true; Help = 'Images: JPEG, PNG or WebP files' }
            )
        }
        'kontext replay' = @{
            Commands = @(
            )
            Options = @(
                @{ Flags = @('--prompt'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Another prompt than that of the image; `-` is standard input' }
                @{ Flags = @('-i', '--image'); Kind = 'file'; Values = @(); Repeatable = $true; Help = 'Input image: a path, a URL of https, s3, gs or az, or `-` for standard input' }
                @{ Flags = @('-p', '--provider'); Kind = 'value'; Values = @('fal', 'aimlapi', 'chainhub', 'bfl', 'replicate', 'together', 'huggingface', 'openai', 'comfyui', 'sandbox'); Repeatable = $false; Help = 'Provider: fal, aimlapi, chainhub, bfl, replicate, together, huggingface, openai, comfyui, sandbox' }
                @{ Flags = @('-m', '--model'); Kind = 'value'; Values = @('kontext-pro', 'kontext-max', 'kontext-dev', 'flux-2-pro', 'flux-2-max', 'flux-2-flex', 'flux-3', 'default'); Repeatable = $false; Help = 'Model: kontext-pro (default), kontext-max, kontext-dev, flux-2-pro, flux-2-max, flux-2-flex, flux-3, or an endpoint id of the provider' }
                @{ Flags = @('-a', '--aspect-ratio'); Kind = 'value'; Values = @('21:9', '16:9', '4:3', '3:2', '1:1', '2:3', '3:4', '9:16', '9:21'); Repeatable = $false; Help = 'Aspect ratio' }
                @{ Flags = @('--resolution'); Kind = 'value'; Values = @('768sq', '1k', '1.5k', '2k', '4k'); Repeatable = $false; Help = 'Resolution, of FLUX 3: about 0.6, 1, 2.4, 4 or 16 megapixels' }
                @{ Flags = @('-n', '--num-images'); Kind = 'value'; Values = @('1', '2', '3', '4'); Repeatable = $false; Help = 'Number of images, 1 to 4' }
                @{ Flags = @('--seed'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Seed' }
                @{ Flags = @('-g', '--guidance-scale'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'How closely to follow the prompt, 0 to 20' }
                @{ Flags = @('--safety-tolerance'); Kind = 'value'; Values = @('0', '1', '2', '3', '4', '5', '6'); Repeatable = $false; Help = 'Safety tolerance, 0 to 6; the lowest is the strictest' }
                @{ Flags = @('--no-safety-checker'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Switch off the safety checker, where a model lets you' }
                @{ Flags = @('--steps'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Number of denoising steps, 1 to 50, where a model has them' }
                @{ Flags = @('--output-format'); Kind = 'value'; Values = @('jpeg', 'png'); Repeatable = $false; Help = 'Image format' }
                @{ Flags = @('--enhance-prompt'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Let the provider improve the prompt' }
                @{ Flags = @('--sync-mode'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Get the image in the reply itself; it is not kept in the provider''s history' }
                @{ Flags = @('--keep-flagged'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Also save images that the provider flagged as unsafe' }
                @{ Flags = @('--metadata'); Kind = 'value'; Values = @('off', 'mark', 'full'); Repeatable = $false; Help = 'What to write into each image: off, nothing; mark, that a model made it; full, also prompt, seed and options' }
                @{ Flags = @('--sidecar'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Also save prompt, seed and options beside each image, as NAME.SUFFIX.json' }
                @{ Flags = @('-o', '--output'); Kind = 'file'; Values = @(); Repeatable = $false; Help = 'Output file' }
                @{ Flags = @('-d', '--output-dir'); Kind = 'folder'; Values = @(); Repeatable = $false; Help = 'Output directory, created if missing, or s3://, gs://, az://' }
                @{ Flags = @('--name'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Template for file names, with the fields {index} {id} {slug} {seed} {n} {job} {provider} {model} {stem} {date}' }
                @{ Flags = @('--exists'); Kind = 'value'; Values = @('error', 'skip', 'number', 'overwrite'); Repeatable = $false; Help = 'What to do if a file exists' }
                @{ Flags = @('-j', '--jobs'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Maximum number of jobs in flight, 1 to 1000' }
                @{ Flags = @('--fail-fast'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Stop at the first failure' }
                @{ Flags = @('--max-failures'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Stop after N failures' }
                @{ Flags = @('--retry-failed'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Also retry rows that were moderated, and failed rows that may have been billed' }
                @{ Flags = @('--on-unknown'); Kind = 'value'; Values = @('hold', 'resubmit'); Repeatable = $false; Help = 'What to do with rows that may have been accepted in an earlier run: hold or resubmit them' }
                @{ Flags = @('--force'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Also regenerate finished rows' }
                @{ Flags = @('--max-cost'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Send nothing if the estimated cost is higher' }
                @{ Flags = @('--no-wait'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Submit, print the job id, and exit' }
                @{ Flags = @('--timeout'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'How long to wait for each job, in seconds or as in 30s, 5m, 1h' }
                @{ Flags = @('--dry-run'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Print the request, the files and the estimated cost; send nothing' }
                @{ Flags = @('--json'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Print JSON Lines on standard output, one object per job' }
                @{ Flags = @('-q', '--quiet'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Print only errors on standard error' }
                @{ Flags = @('--debug'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Log each request on standard error, without secrets' }
                @{ Flags = @('--preview'); Kind = 'value'; Values = @('auto', 'kitty', 'iterm', 'blocks', 'off'); Repeatable = $false; Help = 'Show each image on the terminal as it is saved' }
                @{ Flags = @('--open'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Open the saved images with the viewer of the system' }
                @{ Flags = @('-h', '--help'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Show this message and exit' }
            )
            Arguments = @(
                @{ Kind = 'file'; Values = @(); Repeatable = $true; Help = 'Images: JPEG, PNG or WebP files' }
            )
        }
        'kontext show' = @{
            Commands = @(
            )
            Options = @(
                @{ Flags = @('--width'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Width of each image at most' }
                @{ Flags = @('--preview'); Kind = 'value'; Values = @('auto', 'kitty', 'iterm', 'blocks'); Repeatable = $false; Help = 'How to draw' }
                @{ Flags = @('-h', '--help'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Show this message and exit' }
            )
            Arguments = @(
                @{ Kind = 'file'; Values = @(); Repeatable = $true; Help = 'Images: JPEG, PNG, WebP or GIF files' }
            )
        }
        'kontext gallery' = @{
            Commands = @(
            )
            Options = @(
                @{ Flags = @('-o', '--output'); Kind = 'file'; Values = @(); Repeatable = $false; Help = 'Required' }
                @{ Flags = @('--batch'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Show the rows of this batch' }
                @{ Flags = @('--inline'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Put the images into the page itself, in a smaller size' }
                @{ Flags = @('--columns'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Columns of the sheet' }
                @{ Flags = @('--label'); Kind = 'value'; Values = @('prompt', 'id', 'seed', 'model', 'provider', 'cost', 'state', 'file'); Repeatable = $false; Help = 'Labels on the sheet: prompt (default), id, seed, model, provider, cost, state, file' }
                @{ Flags = @('--json'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Print JSON Lines on standard output' }
                @{ Flags = @('-q', '--quiet'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Print only errors on standard error' }
                @{ Flags = @('-h', '--help'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Show this message and exit' }
            )
            Arguments = @(
                @{ Kind = 'file'; Values = @(); Repeatable = $true; Help = 'Images, and directories with images' }
            )
        }
        'kontext cost' = @{
            Commands = @(
            )
            Options = @(
                @{ Flags = @('--since'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Only jobs submitted within this time, as in 30d, 12h, 90m' }
                @{ Flags = @('--by'); Kind = 'value'; Values = @('day', 'provider', 'model', 'batch'); Repeatable = $false; Help = 'Only this table, and all of it: day, provider, model or batch' }
                @{ Flags = @('--json'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Print JSON Lines on standard output' }
                @{ Flags = @('-q', '--quiet'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Print only errors on standard error' }
                @{ Flags = @('-h', '--help'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Show this message and exit' }
            )
            Arguments = @(
            )
        }
        'kontext models' = @{
            Commands = @(
            )
            Options = @(
                @{ Flags = @('-p', '--provider'); Kind = 'value'; Values = @('fal', 'aimlapi', 'chainhub', 'bfl', 'replicate', 'together', 'huggingface', 'openai', 'comfyui', 'sandbox'); Repeatable = $false; Help = 'Only the models of this provider' }
                @{ Flags = @('-m', '--model'); Kind = 'value'; Values = @('kontext-pro', 'kontext-max', 'kontext-dev', 'flux-2-pro', 'flux-2-max', 'flux-2-flex', 'flux-3', 'default'); Repeatable = $false; Help = 'Model: kontext-pro (default), kontext-max, kontext-dev, flux-2-pro, flux-2-max, flux-2-flex, flux-3, or an endpoint id of the provider' }
                @{ Flags = @('--check'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Ask the providers which of these models they withdraw' }
                @{ Flags = @('--json'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Print JSON Lines on standard output' }
                @{ Flags = @('--debug'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Log each request on standard error, without secrets' }
                @{ Flags = @('-h', '--help'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Show this message and exit' }
            )
            Arguments = @(
            )
        }
        'kontext doctor' = @{
            Commands = @(
            )
            Options = @(
                @{ Flags = @('--online'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Ask each provider whether it takes the key, and each server of your own what it is' }
                @{ Flags = @('--json'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Print JSON Lines on standard output' }
                @{ Flags = @('--debug'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Log each request on standard error, without secrets' }
                @{ Flags = @('-h', '--help'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Show this message and exit' }
            )
            Arguments = @(
            )
        }
        'kontext sandbox' = @{
            Commands = @(
            )
            Options = @(
                @{ Flags = @('--host'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'A loopback address, or localhost' }
                @{ Flags = @('--port'); Kind = 'value'; Values = @(); Repeatable = $false; Help = '0 picks a free port' }
                @{ Flags = @('--latency'); Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Duration of a job' }
                @{ Flags = @('--fault'); Kind = 'value'; Values = @('401', '402', '403', '429', '503', 'html-502', 'reset', 'lost-reply', 'slow', 'failed', 'crashed', 'timed-out', 'invalid', 'refused', 'flagged', 'empty', 'fewer', 'png-for-jpeg', 'forgotten', 'stuck', 'poll-503', 'poll-reset', 'unknown-status', 'result-503', 'media-503', 'media-404', 'media-redirect', 'truncated-media', 'cut-media', 'wrong-media'); Repeatable = $false; Help = 'Inject a fault, always or the first K times' }
                @{ Flags = @('--plain'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Make small images of a single color, for thousands of jobs' }
                @{ Flags = @('-q', '--quiet'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Print only errors on standard error' }
                @{ Flags = @('-h', '--help'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Show this message and exit' }
            )
            Arguments = @(
            )
        }
        'kontext completion' = @{
            Commands = @(
            )
            Options = @(
                @{ Flags = @('-h', '--help'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Show this message and exit' }
            )
            Arguments = @(
                @{ Kind = 'value'; Values = @('bash', 'zsh', 'fish', 'powershell'); Repeatable = $false; Help = 'The shell' }
            )
        }
        'kontext journal' = @{
            Commands = @(
                @{ Name = 'copy'; Help = 'Copy all jobs of a journal into another, and compare both' }
            )
            Options = @(
                @{ Flags = @('-h', '--help'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Show this message and exit' }
            )
            Arguments = @(
            )
        }
        'kontext journal copy' = @{
            Commands = @(
            )
            Options = @(
                @{ Flags = @('--json'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Print JSON Lines on standard output' }
                @{ Flags = @('-q', '--quiet'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Print only errors on standard error' }
                @{ Flags = @('-h', '--help'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Show this message and exit' }
            )
            Arguments = @(
                @{ Kind = 'value'; Values = @(); Repeatable = $false; Help = 'The journal to copy: a state folder, a journal.db, postgresql://USER@HOST/DATABASE, or env for KONTEXT_JOURNAL' }
                @{ Kind = 'value'; Values = @(); Repeatable = $false; Help = 'Where to, likewise; created where there is none' }
            )
        }
        'kontext auth' = @{
            Commands = @(
                @{ Name = 'set'; Help = 'Store a key, typed at a prompt or read from standard input' }
                @{ Name = 'status'; Help = 'Show where each provider''s key comes from' }
                @{ Name = 'remove'; Help = 'Remove a stored key' }
            )
            Options = @(
                @{ Flags = @('-h', '--help'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Show this message and exit' }
            )
            Arguments = @(
            )
        }
        'kontext auth set' = @{
            Commands = @(
            )
            Options = @(
                @{ Flags = @('-h', '--help'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Show this message and exit' }
            )
            Arguments = @(
                @{ Kind = 'value'; Values = @('fal', 'aimlapi', 'chainhub', 'bfl', 'replicate', 'together', 'huggingface', 'openai', 'comfyui', 'sandbox'); Repeatable = $false; Help = 'The provider of the key' }
            )
        }
        'kontext auth status' = @{
            Commands = @(
            )
            Options = @(
                @{ Flags = @('--json'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Print JSON Lines on standard output' }
                @{ Flags = @('-h', '--help'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Show this message and exit' }
            )
            Arguments = @(
            )
        }
        'kontext auth remove' = @{
            Commands = @(
            )
            Options = @(
                @{ Flags = @('-h', '--help'); Kind = ''; Values = @(); Repeatable = $false; Help = 'Show this message and exit' }
            )
            Arguments = @(
                @{ Kind = 'value'; Values = @('fal', 'aimlapi', 'chainhub', 'bfl', 'replicate', 'together', 'huggingface', 'openai', 'comfyui', 'sandbox'); Repeatable = $false; Help = 'The provider of the key' }
            )
        }
    }

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
