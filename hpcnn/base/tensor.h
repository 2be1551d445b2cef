// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Tensors whose shape is part of their type, and the matrix view that ops take.
//
//   Tensor<T, Dims...>      owns its elements inline, like std::array; large
//                           ones belong in static storage or on the heap
//   TensorView<T, Dims...>  a pointer with a static shape
//   MatrixView<T>           rows, columns and row stride known at run time: a
//                           batch may be short, so ops on batches take this one
//
// Row-major throughout. Views never own; a view of const T reads only.

#ifndef HPCNN_BASE_TENSOR_H_
#define HPCNN_BASE_TENSOR_H_

#include <array>
#include <cstddef>
#include <span>
#include <type_traits>

#include "hpcnn/base/check.h"
#include "hpcnn/base/shape.h"
#include "hpcnn/base/target.h"

HPCNN_NAMESPACE_BEGIN

namespace internal {

// Row-major offset of an index tuple.
template <std::size_t... Dims, class... I>
constexpr std::size_t Offset(Shape<Dims...>, I... index) {
  static_assert(sizeof...(I) == sizeof...(Dims),
                "hpcnn: give one index per dimension of the tensor");
  std::size_t offset = 0;
  if constexpr (sizeof...(I) == sizeof...(Dims)) {  // no second error message
    ((offset = offset * Dims + static_cast<std::size_t>(index)), ...);
  }
  return offset;
}

}  // namespace internal

template <class T, std::size_t... Dims>
class TensorView {
 public:
  using Element = T;
  using ShapeOf = Shape<Dims...>;
  static constexpr std::size_t kSize = ShapeOf::kVolume;

  constexpr explicit TensorView(T* data) : data_(data) {}
  // From a span of exactly that many elements.
  constexpr explicit TensorView(std::span<T, kSize> data)
      : data_(data.data()) {}
  // A writable view reads, too.
  template <class U>
  requires std::is_same_v<const U, T>
  constexpr TensorView(TensorView<U, Dims...> other) : data_(other.data()) {}

  constexpr T* data() const { return data_; }
  static constexpr std::size_t size() { return kSize; }
  constexpr T* begin() const { return data_; }
  constexpr T* end() const { return data_ + kSize; }
  constexpr T& operator[](std::size_t i) const { return data_[i]; }
  template <class... I>
  constexpr T& operator()(I... index) const {
    return data_[internal::Offset(ShapeOf{}, index...)];
  }

  template <std::size_t... NewDims>
  constexpr TensorView<T, NewDims...> Reshape() const {
    static_assert(Shape<NewDims...>::kVolume == kSize,
                  "hpcnn: Reshape must keep the number of elements");
    return TensorView<T, NewDims...>(data_);
  }

 private:
  T* data_;
};

template <class T, std::size_t... Dims>
class Tensor {
 public:
  using Element = T;
  using ShapeOf = Shape<Dims...>;
  static constexpr std::size_t kSize = ShapeOf::kVolume;

  constexpr TensorView<T, Dims...> view() {
    return TensorView<T, Dims...>(elements_.data());
  }
  constexpr TensorView<const T, Dims...> view() const {
    return TensorView<const T, Dims...>(elements_.data());
  }
  constexpr operator TensorView<T, Dims...>() { return view(); }
  constexpr operator TensorView<const T, Dims...>() const { return view(); }

  constexpr T* data() { return elements_.data(); }
  constexpr const T* data() const { return elements_.data(); }
  static constexpr std::size_t size() { return kSize; }
  constexpr auto begin() { return elements_.begin(); }
  constexpr auto begin() const { return elements_.begin(); }
  constexpr auto end() { return elements_.end(); }
  constexpr auto end() const { return elements_.end(); }
  constexpr T& operator[](std::size_t i) { return elements_[i]; }
  constexpr const T& operator[](std::size_t i) const { return elements_[i]; }
  template <class... I>
  constexpr T& operator()(I... index) {
    return elements_[internal::Offset(ShapeOf{}, index...)];
  }
  template <class... I>
  constexpr const T& operator()(I... index) const {
    return elements_[internal::Offset(ShapeOf{}, index...)];
  }

 private:
  alignas(64) std::array<T, kSize> elements_{};
};

// A matrix of [rows, cols] whose rows start `stride` elements apart.
template <class T>
class MatrixView {
 public:
  using Element = T;

  constexpr MatrixView(T* data, std::size_t rows, std::size_t cols)
      : MatrixView(data, rows, cols, cols) {}
  constexpr MatrixView(T* data, std::size_t rows, std::size_t cols,
                       std::size_t stride)
      : data_(data), rows_(rows), cols_(cols), stride_(stride) {}
  // A writable view reads, too.
  template <class U>
  requires std::is_same_v<const U, T>
  constexpr MatrixView(const MatrixView<U>& other)
      : MatrixView(other.data(), other.rows(), other.cols(), other.stride()) {}

  constexpr T* data() const { return data_; }
  constexpr std::size_t rows() const { return rows_; }
  constexpr std::size_t cols() const { return cols_; }
  constexpr std::size_t stride() const { return stride_; }
  constexpr T* row(std::size_t r) const { return data_ + r * stride_; }
  constexpr T& operator()(std::size_t r, std::size_t c) const {
    return data_[r * stride_ + c];
  }
  // Rows [begin, begin + count).
  constexpr MatrixView Rows(std::size_t begin, std::size_t count) const {
    return MatrixView(row(begin), count, cols_, stride_);
  }
  // A rectangle: `rows` by `cols` from (row_begin, col_begin).
  constexpr MatrixView Region(std::size_t row_begin, std::size_t col_begin,
                              std::size_t rows, std::size_t cols) const {
    return MatrixView(row(row_begin) + col_begin, rows, cols, stride_);
  }

 private:
  T* data_;
  std::size_t rows_;
  std::size_t cols_;
  std::size_t stride_;
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_BASE_TENSOR_H_
