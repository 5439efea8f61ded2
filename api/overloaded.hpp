// One callable from several, for std::visit.
#pragma once

namespace evaljob {

template <class... F>
struct Overloaded : F... {
    using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

}  // namespace evaljob
