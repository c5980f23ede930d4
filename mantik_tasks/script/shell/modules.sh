set +e
for _mantik_file in "${LMOD_PKG:-}/init/bash" "${MODULESHOME:-}/init/bash" \
    /etc/profile.d/{modules,lmod,z00_lmod,00-modulepath}.sh /usr/share/{lmod/lmod,modules}/init/bash; do
    type module >/dev/null 2>&1 && break
    [[ -r $_mantik_file ]] && source "$_mantik_file"
done
