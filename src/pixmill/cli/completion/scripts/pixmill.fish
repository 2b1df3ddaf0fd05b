# Completion of pixmill in fish. Printed by: pixmill completion fish

# Print the words of the table $argv[1], each with a description after a tab.
function __pixmill_table
    switch $argv[1]
# tables
    end
end

# Print the value that is being typed, without the option that it follows.
function __pixmill_value
    commandline -ct | string replace -r -- '^--[^=]*=' ''
end

# Print the words of the table $argv[1] for the last value of a list that is separated by commas.
function __pixmill_list
    set -l head (__pixmill_value | string replace -r -- '[^,]*$' '')
    for word in (__pixmill_table $argv[1])
        echo "$head$word"
    end
end

# Print the folders that the value may name.
function __pixmill_folders
    __fish_complete_directories (__pixmill_value) ''
end

# Print members of the family $argv[1] with their settings; several, separated by commas, if $argv[2] is list.
function __pixmill_member
    set -l parts (string split , -- (__pixmill_value))
    set -l tail $parts[-1]
    set -e parts[-1]
    set -l head ''
    set -l owner ''
    set -l given
    for part in $parts
        set head "$head$part,"
        set -l key (string split -m1 = -- $part)[1]
        if string match -q -- '*:*' $key
            set owner (string split -m1 : -- $key)[1]
            set given (string split -m1 : -- $key)[2]
        else if string match -q -- '*=*' $part
            set -a given $key
        else
            set owner ''
        end
    end
    set -l is_inside no
    if string match -q -- '*:*' (string split -m1 = -- $tail)[1]
        set owner (string split -m1 : -- $tail)[1]
        set tail (string split -m1 : -- $tail)[2]
        set head "$head$owner:"
        set given
        set is_inside yes
    end
    if test -n "$owner"; and string match -q -- '*=*' $tail
        set -l key (string split -m1 = -- $tail)[1]
        set -l choices (__pixmill_table "$argv[1]/$owner/$key")
        if test "$choices[1]" = '<file>'
            set choices (__fish_complete_path (string split -m1 = -- $tail)[2] '')
        end
        for word in $choices
            echo "$head$key=$word"
        end
        return
    end
    if test -n "$owner"
        for word in (__pixmill_table "$argv[1]/$owner")
            contains -- (string split -m1 = -- $word)[1] $given; or echo "$head$word"
        end
    end
    if test -z "$head"; or test "$argv[2]" = list -a $is_inside = no
        for word in (__pixmill_table $argv[1])
            echo "$head$word"
        end
    end
end

# Return whether the command is one of $argv; without any, whether no command was typed yet.
function __pixmill_uses
    set -l words (commandline -opc)
    if test (count $argv) -eq 0
        test (count $words) -eq 1
    else
        test (count $words) -gt 1; and contains -- $words[2] $argv
    end
end

# Return whether $argv[1] words stand between the command and the one that is being typed, all but options.
function __pixmill_at
    set -l count 0
    set -l option ''
    for word in (commandline -opc)[3..]
        if test -n "$option"
            set option ''
        else if string match -q -- '-?*' $word
            __pixmill_takes_value $word; and set option $word
        else
            set count (math $count + 1)
        end
    end
    test $count -eq $argv[1]
end

# Return whether the word after the option $argv[1] is its value.
function __pixmill_takes_value
    contains -- $argv[1] \
# valued
end

# Return whether an option that turns something off is being typed.
function __pixmill_negates
    string match -q -- '--no*' (commandline -ct)
end

complete -c pixmill -e
# options
