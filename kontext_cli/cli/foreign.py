"""Options and commands of other image tools, and our counterparts.

The names are from OpenAI's and fal's clients, Midjourney, AUTOMATIC1111, ComfyUI, diffusers
and ImageMagick.
"""

SAME = {
    "--aspect-ratio": """
        ar aspect ratio shape size image-size dimensions dims geometry resize
        width height w h W H orientation
    """,
    "--num-images": """
        n count num number num-outputs num-samples n-samples samples batch-size batch-count n-iter
        num-images-per-prompt images-per-prompt repeat variations
    """,
    "--guidance-scale": "cfg cfg-scale guidance scale true-cfg-scale prompt-guidance",
    "--seed": "random-seed rng-seed manual-seed noise-seed",
    "--safety-tolerance": "safety safety-level moderation safety-filter",
    "--output-format": "format fmt ext extension filetype file-type file-format image-format",
    "--steps": """
        step num-steps num-inference-steps inference-steps n-steps sampling-steps ddim-steps
    """,
    "--resolution": "res output-resolution image-resolution quality-tier",
    "--no-safety-checker": "disable-safety-checker no-safety disable-safety-filter",
    "--enhance-prompt": """
        enhance prompt-upsampling upsampling upsample-prompt expand-prompt prompt-expansion
        magic-prompt prompt-enhance
    """,
    "--model": "model-id model-name checkpoint ckpt engine endpoint endpoint-id app-id",
    "--provider": "service backend vendor",
    "--image": """
        images input input-image input-images init-image init-img img img2img image-url image-urls
        image-path reference reference-image ref-image source source-image sref cref
    """,
    "--output": """
        out outfile output-file output-path save save-as dest destination path filename file-name
    """,
    "--output-dir": """
        outdir out-dir output-folder folder dir directory outpath save-dir save-path
    """,
    "--name": "template name-template filename-template filename-pattern filename-prefix",
    "--metadata off": "no-metadata strip-metadata no-exif",
    "--metadata full": "embed-metadata save-metadata exif embed-prompt",
    "--sidecar": "save-json write-json sidecar-json",
    "--exists overwrite": "overwrite clobber",
    "--exists skip": "skip-existing no-clobber no-overwrite",
    "--prompts-file": "prompts prompt-file prompts-path from-file input-file batch-file csv",
    "--jobs": "concurrency parallel parallelism workers max-workers threads max-concurrent",
    "--max-cost": "budget max-price max-spend cost-limit limit-cost spend-limit max-budget",
    "--no-wait": "async detach background-job no-block submit-only nowait",
    "--timeout": "max-wait wait-timeout max-time",
    "--dry-run": "dryrun simulate plan what-if noop",
    "--preview auto": "show view display",
    "--quiet": "silent no-progress",
    "--debug": "v verbose log-level trace loglevel",
}
"""Our option for each option of another tool, given there with one or two dashes."""

ABSENT = {
    "Kontext has no negative prompt: describe in the prompt what the image should contain": """
        negative-prompt negative neg neg-prompt no np
    """,
    "Kontext has no strength setting: say in the instruction how much to change": """
        strength denoise denoising denoising-strength image-strength prompt-strength iw
        image-weight init-weight
    """,
    "Kontext has no quality setting; --model kontext-max is the stronger model": """
        quality q hd detail
    """,
    "describe the style in the prompt": """
        style style-preset stylize stylise s chaos c weird raw niji style-type mood
    """,
    "Kontext has no masks: say in the instruction what to change, and where": """
        mask mask-image inpaint
    """,
    "the sampler and scheduler are fixed by the provider": """
        sampler scheduler sampler-name sampling-method clip-skip eta shift
    """,
    "LoRA and ControlNet are not supported": """
        lora loras lora-scale controlnet control-image embedding
    """,
    "upscaling is not supported": "upscale upscaler hires hires-fix hr-scale enable-hr",
    "Kontext does not support transparent backgrounds": "background transparent",
    "tiles and panoramas are not supported": "tile tiling seamless",
    "the models run at the provider, not on this machine": """
        device gpu gpus cuda cpu fp16 half dtype precision vram low-vram lowvram medvram offload
        xformers quantize
    """,
    "keys are never given as arguments: kontext auth set PROVIDER prompts for one": """
        api-key apikey key token access-token auth auth-token secret fal-key openai-api-key
    """,
    "webhooks are not supported; --no-wait prints the job id, for kontext fetch": """
        webhook webhook-url callback callback-url
    """,
    "safe requests are retried automatically; a request that may have been billed is not": """
        retry retries max-retries attempts
    """,
    "proxies are set by HTTPS_PROXY and NO_PROXY": "proxy https-proxy",
    "to use another host, set KONTEXT_FAL_BASE_URL, or base_url in config.toml": """
        base-url api-base api-url host server url
    """,
    "kontext --version shows the version of kontext; --model selects the model": """
        version version-id
    """,
    'the prompt is an argument, in quotes: kontext generate "a red fox"': """
        prompt text caption instruction
    """,
    "run the same command again: finished rows are skipped": "resume continue restart",
    "settings are in config.toml; kontext models --debug shows where each one comes from": "config",
}
"""Why an option has no counterpart, or what to do instead."""

COMMANDS = {
    "kontext generate": """
        gen create make new draw image images imagine txt2img text2img text-to-image t2i render
        prompt run txt2image submit
    """,
    "kontext edit": "img2img image2image image-to-image i2i modify change inpaint transform remix",
    "kontext status": "list ls ps jobs job history log logs queue get watch",
    "kontext fetch": "download pull wait result results resume retry collect",
    "kontext cancel": "stop kill abort",
    "kontext forget": "delete rm remove del clean purge prune clear",
    "kontext info": "metadata exif inspect describe identify provenance",
    "kontext replay": "again redo repeat reproduce regenerate remake rerun vary variation",
    "kontext show": "view display preview open cat icat",
    "kontext models": "providers model prices price pricing list-models endpoints options",
    "kontext sandbox": "serve server mock test demo",
    "kontext auth set PROVIDER": """
        login key keys set set-key configure config setup init logout token account
    """,
    "kontext --version": "version",
    "kontext completion SHELL": "completions install-completion",
    "kontext generate -f FILE": "batch bulk",
}


def same_option(word: str) -> str | None:
    """Our option for an option of another tool, given without dashes."""
    return _row_with(word, SAME)


def why_absent(word: str) -> str | None:
    """Why an option of another tool has no counterpart, or what to do instead."""
    return _row_with(word, ABSENT)


def same_command(word: str) -> str | None:
    """Our command for a command of another tool."""
    return _row_with(word, COMMANDS)


def _row_with(word: str, table: dict[str, str]) -> str | None:
    return next((ours for ours, words in table.items() if word in words.split()), None)
