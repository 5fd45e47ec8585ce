"""Options and commands of other image tools, and what stands for them here.

The words are those of OpenAI's and fal's clients, Midjourney, AUTOMATIC1111, ComfyUI, diffusers
and ImageMagick.
"""

SAME = {
    "--aspect-ratio": """
        ar aspect ratio shape size image-size dimensions dims resolution geometry resize
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
    "--exists overwrite": "overwrite clobber",
    "--exists skip": "skip-existing no-clobber no-overwrite",
    "--prompts-file": "prompts prompt-file prompts-path from-file input-file batch-file csv",
    "--jobs": "concurrency parallel parallelism workers max-workers threads max-concurrent",
    "--max-cost": "budget max-price max-spend cost-limit limit-cost spend-limit max-budget",
    "--no-wait": "async detach background-job no-block submit-only nowait",
    "--timeout": "max-wait wait-timeout max-time",
    "--dry-run": "dryrun simulate plan what-if noop",
    "--quiet": "silent no-progress",
    "--debug": "v verbose log-level trace loglevel",
}
"""Our option for each of these, which are typed there with one dash or two."""

ABSENT = {
    "the hosted Kontext models take no number of steps": """
        steps step num-steps num-inference-steps inference-steps n-steps sampling-steps ddim-steps
    """,
    "Kontext takes no negative prompt: say in the prompt what should be there": """
        negative-prompt negative neg neg-prompt no np
    """,
    "Kontext takes no strength: say in the instruction how much is to change": """
        strength denoise denoising denoising-strength image-strength prompt-strength iw
        image-weight init-weight
    """,
    "there are no levels of quality; --model kontext-max is the stronger model": """
        quality q hd detail
    """,
    "say the style in the prompt": """
        style style-preset stylize stylise s chaos c weird raw niji style-type mood
    """,
    "Kontext takes no mask: say in the instruction what is to change, and where": """
        mask mask-image inpaint
    """,
    "the provider's sampler and scheduler are fixed": """
        sampler scheduler sampler-name sampling-method clip-skip eta shift
    """,
    "no LoRA or ControlNet can be given here": """
        lora loras lora-scale controlnet control-image embedding
    """,
    "nothing is opened: the path of each file is printed": "open show view preview display",
    "nothing is upscaled here": "upscale upscaler hires hires-fix hr-scale enable-hr",
    "Kontext makes no transparent backgrounds": "background transparent",
    "tiles and panoramas are not made here": "tile tiling seamless",
    "the models run at the provider, not on this machine": """
        device gpu gpus cuda cpu fp16 half dtype precision vram low-vram lowvram medvram offload
        xformers quantize
    """,
    "a key is never an argument: kontext auth set PROVIDER asks for it": """
        api-key apikey key token access-token auth auth-token secret fal-key openai-api-key
    """,
    "nobody is called back; --no-wait prints the id of the job, for kontext fetch": """
        webhook webhook-url callback callback-url
    """,
    "what may be sent again is sent again by itself; what may have been billed is not": """
        retry retries max-retries attempts
    """,
    "proxies are taken from HTTPS_PROXY and NO_PROXY": "proxy https-proxy",
    "another host is set by KONTEXT_FAL_BASE_URL, or base_url in config.toml": """
        base-url api-base api-url host server url
    """,
    "kontext --version shows the version of kontext, and --model chooses the model": """
        version version-id
    """,
    'the prompt stands by itself, in quotes: kontext generate "a red fox"': """
        prompt text caption instruction
    """,
    "run the same command again: it does only what is missing": "resume continue restart",
    "settings are in config.toml; kontext models --debug shows where each one comes from": "config",
}
"""Why there is nothing like these here, or what stands for them and is no option."""

COMMANDS = {
    "kontext generate": """
        gen create make new draw image images imagine txt2img text2img text-to-image t2i render
        prompt run txt2image submit
    """,
    "kontext edit": "img2img image2image image-to-image i2i modify change inpaint transform remix",
    "kontext status": "list ls ps jobs job history log logs queue show info get watch",
    "kontext fetch": "download pull wait result results resume retry collect",
    "kontext cancel": "stop kill abort",
    "kontext forget": "delete rm remove del clean purge prune clear",
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
    """Our option for one of another tool, by its name without dashes."""
    return _row_with(word, SAME)


def why_absent(word: str) -> str | None:
    """Why an option of another tool has no counterpart here."""
    return _row_with(word, ABSENT)


def same_command(word: str) -> str | None:
    """Our command line for a command of another tool."""
    return _row_with(word, COMMANDS)


def _row_with(word: str, table: dict[str, str]) -> str | None:
    return next((ours for ours, words in table.items() if word in words.split()), None)
