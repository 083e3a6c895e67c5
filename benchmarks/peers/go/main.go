// The receiver in Go: net/http with franz-go, as its package's text in benchmarks/peers says.
package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	deliveredWithin = 2200 * time.Millisecond
	maxBodyBytes    = 1 << 20
	macBytes        = 18
)

type item struct {
	SubscriptionID string `json:"subscriptionId"`
	ChangeType     string `json:"changeType"`
	ClientState    string `json:"clientState"`
}

type collection struct {
	Value []item `json:"value"`
}

type hint struct {
	Provider       string            `json:"provider"`
	Kind           string            `json:"kind"`
	SubscriptionID string            `json:"subscriptionId"`
	KeyID          string            `json:"keyId"`
	ReceivedAtMs   int64             `json:"receivedAtMs"`
	Detail         map[string]string `json:"detail"`
}

type receiver struct {
	client *kgo.Client
	keyID  string
	key    []byte
}

// mailboxOf returns the record key of the mailbox that a client state proves, or nil.
func (r *receiver) mailboxOf(clientState string) []byte {
	parts := strings.Split(clientState, ".")
	if len(parts) != 5 || parts[0] != "1" || parts[1] != r.keyID {
		return nil
	}
	mac := hmac.New(sha256.New, r.key)
	for _, part := range []string{"client-state", "microsoft", parts[0], parts[1], parts[2], parts[3], ""} {
		var length [4]byte
		binary.BigEndian.PutUint32(length[:], uint32(len(part)))
		mac.Write(length[:])
		mac.Write([]byte(part))
	}
	expected := base64.URLEncoding.EncodeToString(mac.Sum(nil)[:macBytes])
	if !hmac.Equal([]byte(parts[4]), []byte(expected)) {
		return nil
	}
	return []byte(parts[2] + "/" + parts[3])
}

func (r *receiver) take(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, request.Body, maxBodyBytes))
	if err != nil {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	var got collection
	if err := json.Unmarshal(body, &got); err != nil || got.Value == nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var records []*kgo.Record
	for _, one := range got.Value {
		key := r.mailboxOf(one.ClientState)
		if key == nil {
			continue
		}
		value, _ := json.Marshal(hint{"microsoft", "changed", one.SubscriptionID, r.keyID,
			time.Now().UnixMilli(), map[string]string{"changeType": one.ChangeType}})
		records = append(records, &kgo.Record{Key: key, Value: value})
	}
	ctx, cancel := context.WithTimeout(request.Context(), deliveredWithin)
	defer cancel()
	if err := r.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

func main() {
	key, err := base64.URLEncoding.DecodeString(os.Getenv("PEER_KEY"))
	if err != nil {
		log.Fatal(err)
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(os.Getenv("PEER_BOOTSTRAP"), ",")...),
		kgo.DefaultProduceTopic(os.Getenv("PEER_TOPIC")),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.DisableIdempotentWrite(),
	)
	if err != nil {
		log.Fatal(err)
	}
	r := &receiver{client: client, keyID: os.Getenv("PEER_KEY_ID"), key: key}
	http.HandleFunc("POST /hooks/graph", r.take)
	log.Fatal(http.ListenAndServe(os.Args[1], nil))
}
