#!/bin/sh
# A command-line tool under xargs: one process per worker, several images per call.
#   in_batches.sh vipsthumbnail|magick|graphicsmagick SOURCE TARGET FORMAT QUALITY WORKERS WIDTHxHEIGHT...
set -eu
tool=$1 source=$2 target=$3 format=$4 quality=$5 workers=$6
shift 6
export VIPS_CONCURRENCY=1 MAGICK_THREAD_LIMIT=1 OMP_NUM_THREADS=1
for box in "$@"; do
    width=${box%x*} height=${box#*x}
    hint=$((width * 2))x$((height * 2))
    mkdir -p "$target/$width"
    case $tool in
    vipsthumbnail)
        case $format in
        jpeg) output="%s.jpg[Q=$quality,optimize_coding,strip]" ;;
        png) output="%s.png[compression=6,strip]" ;;
        webp) output="%s.webp[Q=$quality,reduction_effort=4,strip]" ;;
        *) output="%s.$format[Q=$quality,effort=4,strip]" ;;
        esac
        find "$source" -type f -print0 |
            xargs -0 -P "$workers" -n 16 vipsthumbnail --size "$box>" --output "$target/$width/$output"
        ;;
    magick)
        find "$source" -type f -print0 |
            xargs -0 -P "$workers" -n 8 mogrify -path "$target/$width" -define "jpeg:size=$hint" -auto-orient \
                -filter Lanczos -resize "$box>" -strip -quality "$quality" -format "$format"
        ;;
    graphicsmagick)
        # gm keeps the path of a source below the output folder, so pass paths relative to the source folder.
        (cd "$source" && find . -type d) | while read -r folder; do mkdir -p "$target/$width/$folder"; done
        (cd "$source" && find . -type f -print0 |
            xargs -0 -P "$workers" -n 8 gm mogrify -output-directory "$target/$width" -size "$hint" -auto-orient \
                -filter Lanczos -resize "$box>" -strip -quality "$quality" -format "$format")
        ;;
    esac
done
