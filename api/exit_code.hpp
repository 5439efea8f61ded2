// What evaljob-runner's processes say with their exit status. The operator restarts a node after every status but the
// final ones, which another try cannot mend.
#pragma once

namespace evaljob::exit_code {

inline constexpr int success = 0;
inline constexpr int internal = 1;      // a bug or an unforeseen condition
inline constexpr int usage = 2;         // the command line or the environment is wrong
inline constexpr int contract = 10;     // the rank contract is violated
inline constexpr int identity = 11;     // the output folder holds another evaluation
inline constexpr int bad_input = 12;    // the model or a dataset is missing, damaged or of another kind
inline constexpr int proof = 13;        // the merge found samples missing, foreign, damaged or too many failed
inline constexpr int no_space = 14;     // the volume or a quota on it is full
inline constexpr int unavailable = 20;  // the coordinator could not be reached in time
inline constexpr int storage = 21;      // the volume refused a write (read-only, I/O error)
inline constexpr int terminated = 143;  // SIGTERM, after everything was flushed and given back

/// True when a restart cannot help: the same input gives the same end.
constexpr bool is_final(int status) { return status == usage || (status >= contract && status <= no_space); }

}  // namespace evaljob::exit_code
