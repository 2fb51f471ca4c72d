// Prints vectors.txt, which connect_secret_test reads: keys, fingerprints and encrypted values as
// the vendor's rskey makes them.
package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"

	"github.com/rstudio/rskey/crypt"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	fmt.Println("# Made with rskey; see README.md. One vector a line:")
	fmt.Println("# key KEY_FILE FINGERPRINT             the key of what follows, as its file holds it")
	fmt.Println("# value CLEAR_TEXT_HEX CIPHER_TEXT     as Encrypt, or EncryptFIPS, makes it")
	values := []string{"", "p", "p;a#s\"s word", "pa\u00dfw\u00f6rd", "0123456789012345678901234567890123456789"}
	for i := 0; i < 2; i++ {
		key, err := crypt.NewKey()
		check(err)
		text := key.HexString()
		if i == 1 {
			bytes, err := hex.DecodeString(text)
			check(err)
			text = base64.StdEncoding.EncodeToString(bytes)
		}
		fmt.Println("key", text, key.Fingerprint())
		for _, value := range values {
			for _, encrypt := range []func(string) (string, error){key.Encrypt, key.EncryptFIPS} {
				sealed, err := encrypt(value)
				check(err)
				fmt.Println("value", "x"+hex.EncodeToString([]byte(value)), sealed)
			}
		}
		// The form with a version, which some products write and rskey reads.
		sealed, err := key.Encrypt("versioned")
		check(err)
		bytes, err := base64.StdEncoding.DecodeString(sealed)
		check(err)
		versioned := base64.StdEncoding.EncodeToString(append([]byte{1}, bytes...))
		clear, err := key.Decrypt(versioned)
		check(err)
		fmt.Println("value", "x"+hex.EncodeToString([]byte(clear)), versioned)
	}
}
