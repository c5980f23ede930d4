builtin cd -- "$_mantik_directory"
export MANTIK_WORKING_DIRECTORY="$_mantik_directory" UC_WORKING_DIRECTORY="$_mantik_directory"
