#!/usr/bin/env bash
# One job by hand: submit, ask every 0.1 s, download. Usage: one_job.sh QUEUE_URL PROMPT FORMAT FILE
set -euo pipefail
queue=$1 prompt=$2 format=$3 file=$4

call() {
    curl --silent --show-error --fail-with-body -H "Authorization: Key $FAL_KEY" "$@"
}

# The text of a field of the JSON on standard input.
field() {
    [[ $(cat) =~ \"$1\":\ ?\"([^\"]*)\" ]] && printf '%s' "${BASH_REMATCH[1]}"
}

job=$(call "$queue/fal-ai/flux-pro/kontext/text-to-image" -H 'Content-Type: application/json' \
    -d "{\"prompt\":\"$prompt\",\"output_format\":\"$format\",\"aspect_ratio\":\"1:1\",\"seed\":7}")
status_url=$(field status_url <<<"$job")
response_url=$(field response_url <<<"$job")
status=$(call "$status_url?logs=0")
while [[ ! $status =~ \"COMPLETED\" ]]; do
    sleep 0.1
    status=$(call "$status_url?logs=0")
done
picture=$(call "$response_url" | field url)
curl --silent --show-error --fail --output "$file" "$picture"
