#compdef pixmill
# Completion of pixmill in zsh. Printed by: pixmill completion zsh

# Set reply to the words of the table $1, each with a description after a colon.
_pixmill_table() {
  reply=()
  case $1 in
# tables
  esac
}

# Offer the words of the table $1.
_pixmill_words() {
  local -a reply
  _pixmill_table $1
  _describe -t values 'value' reply
}

# Offer the words of the table $1 for the last value of a list that is separated by commas.
_pixmill_list() {
  local -a reply
  compset -P '*,'
  _pixmill_table $1
  _describe -t values 'value' reply -S ''
}

# Offer members of the family $1 with their settings; several, separated by commas, if $2 is list.
_pixmill_member() {
  local family=$1 list=${2-} tail=$PREFIX owner='' part key='' has_head='' given=','
  local -a reply settings
  while [[ $tail == *,* ]]; do
    part=${tail%%,*} tail=${tail#*,} has_head=yes
    case ${part%%=*} in
      *:*) owner=${part%%:*} given=,${part#*:}, ;;
      *) if [[ $part == *=* ]]; then given+=$part,; else owner=''; fi ;;
    esac
  done
  compset -P '*,'
  case ${tail%%=*} in
    *:*) owner=${tail%%:*} tail=${tail#*:} given=',' has_head=in; compset -P 1 '*:' ;;
  esac
  if [[ -n $owner && $tail == *=* ]]; then
    key=${tail%%=*}
    compset -P 1 '*='
    _pixmill_table "$family/$owner/$key"
    if [[ ${reply[1]-} == '<file>' ]]; then _files; else _describe -t values "$key" reply -S ''; fi
    return
  fi
  if [[ -n $owner ]]; then
    _pixmill_table "$family/$owner"
    for part in $reply; do [[ $given == *,${part%%:*}* ]] || settings+=("$part"); done
    _describe -t settings "setting of $owner" settings -S ''
  fi
  if [[ -z $has_head || $list == list && $has_head != in ]]; then
    _pixmill_table $family
    _describe -t values $family reply -S ''
  fi
}

_pixmill() {
  local curcontext=$curcontext state line
  local -A opt_args
  local -a reply
  if (( CURRENT == 2 )); then
    _pixmill_table commands
    _describe -t commands 'command' reply
    return
  fi
  shift words
  (( CURRENT -= 1 ))
  local -a specs
  _pixmill_specs $words[1]
  [[ $PREFIX == --no* ]] && _pixmill_negations $words[1]
  _arguments -S -s : $specs
}

# Set specs to what _arguments needs for the command $1.
_pixmill_specs() {
  case $1 in
# specs
  esac
}

# Add to specs the options of the command $1 that turn something off.
_pixmill_negations() {
  case $1 in
# negations
  esac
}

if (( ${funcstack[(I)_pixmill]} )); then # loaded from a folder of fpath, for a line that is to be completed
  _pixmill "$@"
elif (( ${+functions[compdef]} )); then
  compdef _pixmill pixmill
else
  print -u2 'pixmill completion: call compinit first (autoload -Uz compinit && compinit)'
fi
