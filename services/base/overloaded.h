// Overloaded: several lambdas as one visitor of a variant.
#ifndef PANDO_BASE_OVERLOADED_H_
#define PANDO_BASE_OVERLOADED_H_

namespace pando::base {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

}  // namespace pando::base

#endif  // PANDO_BASE_OVERLOADED_H_
