// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "tools/filter/contact_sheet.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace hpcnn::filter {
namespace {

constexpr std::size_t kTilesInRow = 3;
constexpr std::size_t kGap = 10;  // around and between the tiles
constexpr std::uint8_t kPaper = 24;
constexpr std::uint8_t kInk = 215;

// The letters that captions need, row by row.
constexpr std::size_t kGlyphRows = 7;
constexpr std::size_t kGlyphCols = 5;
constexpr std::size_t kDot = 2;  // pixels, each way
constexpr std::size_t kLetter = (kGlyphCols + 1) * kDot;
constexpr std::size_t kCaption = kGlyphRows * kDot + 12;
struct Glyph {
  char letter;
  std::string_view rows;
};
constexpr Glyph kGlyphs[] = {
    {'3', "##### ...#. ..#.. ...#. ....# #...# .###."},
    {'5', "##### #.... ####. ....# ....# #...# .###."},
    {'8', ".###. #...# #...# .###. #...# #...# .###."},
    {'A', ".###. #...# #...# ##### #...# #...# #...#"},
    {'B', "####. #...# #...# ####. #...# #...# ####."},
    {'C', ".###. #...# #.... #.... #.... #...# .###."},
    {'E', "##### #.... #.... ####. #.... #.... #####"},
    {'G', ".###. #...# #.... #.### #...# #...# .###."},
    {'H', "#...# #...# #...# ##### #...# #...# #...#"},
    {'I', ".###. ..#.. ..#.. ..#.. ..#.. ..#.. .###."},
    {'L', "#.... #.... #.... #.... #.... #.... #####"},
    {'N', "#...# ##..# #.#.# #.#.# #.#.# #..## #...#"},
    {'O', ".###. #...# #...# #...# #...# #...# .###."},
    {'P', "####. #...# #...# ####. #.... #.... #...."},
    {'R', "####. #...# #...# ####. #.#.. #..#. #...#"},
    {'S', ".#### #.... #.... .###. ....# ....# ####."},
    {'T', "##### ..#.. ..#.. ..#.. ..#.. ..#.. ..#.."},
    {'U', "#...# #...# #...# #...# #...# #...# .###."},
    {'X', "#...# #...# .#.#. ..#.. .#.#. #...# #...#"},
};

// A letter without a glyph, such as a space, stays blank.
void DrawCaption(std::string_view text, MatrixView<std::uint8_t> place) {
  const std::size_t top = (place.rows() - kGlyphRows * kDot) / 2;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto* glyph =
        std::find_if(std::begin(kGlyphs), std::end(kGlyphs),
                     [&](const Glyph& g) { return g.letter == text[i]; });
    if (glyph == std::end(kGlyphs)) continue;
    for (std::size_t y = 0; y < kGlyphRows * kDot; ++y) {
      for (std::size_t x = 0; x < kGlyphCols * kDot; ++x) {
        const bool dot =
            glyph->rows[y / kDot * (kGlyphCols + 1) + x / kDot] == '#';
        if (dot) place(top + y, i * kLetter + x) = kInk;
      }
    }
  }
}

// The mean of each square of side `factor`, as far as it is in the picture.
GrayImage Shrink(const GrayImage& picture, std::size_t factor) {
  GrayImage small((picture.rows + factor - 1) / factor,
                  (picture.cols + factor - 1) / factor);
  for (std::size_t y = 0; y < small.rows; ++y) {
    const std::size_t bottom = std::min(picture.rows, (y + 1) * factor);
    for (std::size_t x = 0; x < small.cols; ++x) {
      const std::size_t right = std::min(picture.cols, (x + 1) * factor);
      std::size_t sum = 0;
      std::size_t count = 0;
      for (std::size_t r = y * factor; r < bottom; ++r) {
        for (std::size_t c = x * factor; c < right; ++c) {
          sum += picture.view()(r, c);
          ++count;
        }
      }
      small.view()(y, x) = static_cast<std::uint8_t>((sum + count / 2) / count);
    }
  }
  return small;
}

GrayImage Enlarge(const GrayImage& picture, std::size_t factor) {
  GrayImage large(picture.rows * factor, picture.cols * factor);
  for (std::size_t y = 0; y < large.rows; ++y) {
    for (std::size_t x = 0; x < large.cols; ++x) {
      large.view()(y, x) = picture.view()(y / factor, x / factor);
    }
  }
  return large;
}

GrayImage Scale(const GrayImage& picture) {
  constexpr std::size_t kMost = 384;
  const std::size_t side = std::max(picture.rows, picture.cols);
  return side > kMost ? Shrink(picture, (side + kMost - 1) / kMost)
                      : Enlarge(picture, kMost / side);
}

}  // namespace

GrayImage ContactSheet(const std::vector<Tile>& tiles) {
  std::size_t height = 0;
  std::size_t width = 0;
  std::vector<GrayImage> pictures;
  for (const Tile& tile : tiles) {
    pictures.push_back(Scale(tile.picture));
    height = std::max(height, pictures.back().rows + kCaption);
    width =
        std::max({width, pictures.back().cols, tile.caption.size() * kLetter});
  }
  const std::size_t rows = (tiles.size() + kTilesInRow - 1) / kTilesInRow;
  GrayImage sheet(kGap + rows * (height + kGap),
                  kGap + kTilesInRow * (width + kGap));
  std::fill(sheet.values.begin(), sheet.values.end(), kPaper);
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const MatrixView<std::uint8_t> place = sheet.view().Region(
        kGap + i / kTilesInRow * (height + kGap),
        kGap + i % kTilesInRow * (width + kGap), height, width);
    const GrayImage& picture = pictures[i];
    for (std::size_t y = 0; y < picture.rows; ++y) {
      std::copy_n(picture.view().row(y), picture.cols, place.row(y));
    }
    DrawCaption(tiles[i].caption, place.Rows(picture.rows, kCaption));
  }
  return sheet;
}

}  // namespace hpcnn::filter
