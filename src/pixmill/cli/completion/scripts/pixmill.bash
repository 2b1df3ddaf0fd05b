# Completion of pixmill in bash. Printed by: pixmill completion bash

# Set REPLY to the words of the table $1.
_pixmill_table() {
  REPLY=''
  case $1 in
# tables
  esac
}

# Set words and cword as COMP_WORDS and COMP_CWORD would be if only spaces separated words, up to the cursor.
_pixmill_split() {
  local line=${COMP_LINE:0:COMP_POINT} index word rest last
  words=() cword=0
  for ((index = 0; index <= COMP_CWORD; index++)); do
    word=${COMP_WORDS[index]}
    rest=${line#"${line%%[![:space:]]*}"}
    ((index == COMP_CWORD)) && word=$rest
    last=$((${#words[@]} - 1))
    if ((last < 0)) || [[ $rest != "$line" ]]; then
      words+=("$word")
    else
      words[last]+=$word
    fi
    line=${rest#"$word"}
  done
  cword=$((${#words[@]} - 1))
}

# Set COMPREPLY to those words of $2 that begin with $1. One that ends in = or : is not complete, the others are unless $3 is open.
_pixmill_offer() {
  local word end=' '
  [[ ${3-} == open ]] && end=''
  for word in $2; do
    [[ $word == "$1"* ]] || continue
    case $word in *[=:]) COMPREPLY+=("$prefix$word") ;; *) COMPREPLY+=("$prefix$word$end") ;; esac
  done
  _pixmill_trim "$prefix$1"
}

# Leave out of COMPREPLY what stands before the last of the characters at which bash begins a new word.
_pixmill_trim() {
  local breaks=${COMP_WORDBREAKS//[^=:]/} index before
  [[ -n $breaks ]] || return 0
  before=${1%"${1##*["$breaks"]}"}
  for index in "${!COMPREPLY[@]}"; do
    COMPREPLY[index]=${COMPREPLY[index]#"$before"}
  done
}

# Offer the names of files, or of folders if $1 is folder.
_pixmill_paths() {
  if type compopt >/dev/null 2>&1; then
    compopt +o nospace
    if [[ $1 == folder ]]; then compopt -o dirnames; else compopt -o default; fi
  elif [[ $1 == folder ]]; then
    # shellcheck disable=SC2207  # bash 3.2 has no mapfile
    COMPREPLY=($(compgen -d -S / -- "$2"))
  else
    # shellcheck disable=SC2207  # likewise
    COMPREPLY=($(compgen -f -- "$2"))
  fi
}

# Offer members of the family $1 with their settings for the value $2, which is a list if $3 is list.
_pixmill_member() {
  local family=$1 value=$2 list=${3-} head='' tail owner='' part found=''
  tail=$value
  while [[ $tail == *,* ]]; do
    part=${tail%%,*} tail=${tail#*,} head+=$part,
    case ${part%%=*} in *:*) owner=${part%%:*} ;; *) [[ $part == *=* ]] || owner='' ;; esac
  done
  case ${tail%%=*} in *:*) owner=${tail%%:*} head+=$owner: tail=${tail#*:} ;; esac
  if [[ -n $owner && $tail == *=* ]]; then
    _pixmill_table "$family/$owner/${tail%%=*}"
    [[ $REPLY == '<file>' ]] && { _pixmill_paths file "${tail#*=}"; return; }
    for part in $REPLY; do found+=" $head${tail%%=*}=$part"; done
  else
    if [[ -n $owner ]]; then
      _pixmill_table "$family/$owner"
      for part in $REPLY; do [[ $head == *[:,]"$part"* ]] || found+=" $head$part"; done
    fi
    if [[ -z $head || $list == list && $head != *: ]]; then
      _pixmill_table "$family"
      for part in $REPLY; do found+=" $head$part"; done
    fi
  fi
  _pixmill_offer "$value" "$found" open
}

# Offer words for the value $2 of the option or position whose table is $1.
_pixmill_value() {
  local kind rest head=''
  _pixmill_table "$1"
  kind=${REPLY%% *} rest=${REPLY#* }
  case $kind in
    '<file>') _pixmill_paths file "$2" ;;
    '<folder>') _pixmill_paths folder "$2" ;;
    '<family>') _pixmill_member "$rest" "$2" ;;
    '<families>') _pixmill_member "$rest" "$2" list ;;
    '<list>')
      [[ $2 == *,* ]] && head=${2%,*},
      _pixmill_offer "$2" "$head${rest// / $head}" open
      ;;
    '' | '<none>') ;;
    *) _pixmill_offer "$2" "$REPLY" ;;
  esac
}

_pixmill() {
  local IFS=$' \t\n' REPLY words cword index word command prefix='' count=0 option='' ended=''
  type compopt >/dev/null 2>&1 && compopt -o nospace
  COMPREPLY=()
  _pixmill_split
  word=${words[cword]} command=${words[1]-}
  for ((index = 2; index < cword; index++)); do
    if [[ -n $option ]]; then
      option=''
    elif [[ -z $ended && ${words[index]} == -- ]]; then
      ended=yes
    elif [[ -z $ended && ${words[index]} == -?* ]]; then
      _pixmill_table "$command ${words[index]}"
      [[ -n $REPLY ]] && option=${words[index]}
    else
      count=$((count + 1))
    fi
  done
  if ((cword == 1)); then
    _pixmill_table commands
    _pixmill_offer "$word" "$REPLY"
  elif [[ -n $option ]]; then
    _pixmill_value "$command $option" "$word"
  elif [[ -z $ended && $word == --*=* ]]; then
    prefix=${word%%=*}=
    _pixmill_value "$command ${word%%=*}" "${word#*=}"
  elif [[ -z $ended && $word == -* ]]; then
    _pixmill_table "$command -"
    [[ $word == --no* ]] && { index=$REPLY; _pixmill_table "$command --no"; REPLY="$index $REPLY"; }
    _pixmill_offer "$word" "$REPLY"
  else
    _pixmill_value "$command $count" "$word"
  fi
}

complete -F _pixmill pixmill
